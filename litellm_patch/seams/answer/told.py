"""The seconds that an exception tells to code that calls LiteLLM's router itself."""

from __future__ import annotations

import time

from ...wait.limits import find_own_refusal
from ...wait.provider import find_provider_wait
from .telling import mark_limits


def retry_after(error: BaseException | None) -> float | None:
    """Seconds until it makes sense to call again, told by `error` or anything in its chain.

    Looks below `__cause__`, `__context__` and in exception groups, first for the router's
    cooldowns, then for its own limits, then for the ``Retry-After`` of a provider's 429.
    Returns None when nothing is known, and never raises.
    """
    try:
        if error is not None:
            mark_limits(error)
        now, clock = time.monotonic(), time.time()
        refusal = find_own_refusal(error, None, now, clock)
        refusal = refusal or find_provider_wait(error, None, clock)
    except Exception:  # an attribute of a foreign exception may raise when it is read
        return None
    return refusal.seconds if refusal is not None else None
