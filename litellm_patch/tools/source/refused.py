"""The one exception of the source patches that a person is meant to read."""


class Refused(Exception):
    """Nothing was changed; the text says why, and what to do."""


class NoTree(Refused):
    """The directory that was named has no LiteLLM in it."""
