"""A directory for ``PYTHONPATH``: the `sitecustomize` in it activates litellm_patch."""
