"""The same change as patches to LiteLLM's source, for those who build LiteLLM themselves."""
