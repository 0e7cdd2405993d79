"""Whether the LiteLLM that is loaded was patched in its source."""

from __future__ import annotations

import sys

NAME = "LITELLM_PATCH_IN_SOURCE"
"""What the source patches define in ``litellm.types.router``, which is loaded before every
module that has a seam."""


def in_source() -> bool:
    """Whether LiteLLM does by itself what the seams would add."""
    return getattr(sys.modules.get("litellm.types.router"), NAME, None) is True
