"""Whether the loaded LiteLLM was patched in its source."""

from __future__ import annotations

import sys

NAME = "LITELLM_PATCH_IN_SOURCE"
"""A name that the source patches define in ``litellm.types.router``, which is loaded before every
module with a seam."""


def in_source() -> bool:
    """Whether LiteLLM itself does what the seams would add."""
    return getattr(sys.modules.get("litellm.types.router"), NAME, None) is True
