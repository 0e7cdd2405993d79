"""A laboratory on loopback: real proxy processes in front of a stand-in provider.

The subcommands that prove something and the tests are built on it. It needs LiteLLM's proxy
to be installed, and nothing beyond the standard library itself.
"""
