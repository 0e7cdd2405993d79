"""The version of this package, for messages; setup.cfg reads it, too."""

__version__ = "0.1.0"
