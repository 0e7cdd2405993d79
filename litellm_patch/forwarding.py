"""Whether a provider's own ``Retry-After`` is forwarded to clients."""

from __future__ import annotations

import os


def forwards_provider() -> bool:
    """Whether the operator said ``LITELLM_PATCH_FORWARD_PROVIDER=on`` (``1``, ``true``, ``yes``).

    Read when a provider has refused, so that it costs nothing before.
    """
    value = os.environ.get("LITELLM_PATCH_FORWARD_PROVIDER", "")
    return value.strip().lower() in ("on", "1", "true", "yes")
