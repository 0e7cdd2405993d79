"""The seconds that an exception tells to code that calls LiteLLM's router itself."""

from __future__ import annotations

import time

from .limits import find_own_refusal
from .provider import find_provider_wait


def retry_after(error: BaseException | None) -> float | None:
    """Seconds until it makes sense to call again, told by `error` or anything in its chain.

    Looks below `__cause__`, `__context__` and in exception groups, first for the router's
    cooldowns, then for its own limits, then for the ``Retry-After`` of a provider's 429.
    Returns None when nothing is known, and never raises.
    """
    try:
        now = time.monotonic()
        refusal = find_own_refusal(error, None, now, time.time()) or find_provider_wait(error, None)
    except Exception:  # an attribute of a foreign exception may raise when it is read
        return None
    return refusal.seconds if refusal is not None else None
