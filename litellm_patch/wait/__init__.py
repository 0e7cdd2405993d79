"""Pure logic: how long to wait, who decides it, how to write it. Knows no litellm and no wrapt."""
