"""Turn the patch on and off, apply the seams as LiteLLM's modules are imported, and say so."""
