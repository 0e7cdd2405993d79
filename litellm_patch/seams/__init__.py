"""The places in LiteLLM that are wrapped, and the one table that lists them."""
