"""Which release of LiteLLM this is. For messages only: features decide, not versions."""

from __future__ import annotations

import sys
from importlib import metadata


def loaded_release() -> str | None:
    """The release of the loaded LiteLLM by its metadata, None if it is not loaded or unknown."""
    if "litellm" not in sys.modules:
        return None
    try:
        return metadata.version("litellm")
    except metadata.PackageNotFoundError:
        return None
