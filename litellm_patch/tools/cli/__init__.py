"""The command ``litellm-patch``: a module for each subcommand, `main` to choose among them."""
