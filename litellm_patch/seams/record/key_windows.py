"""When the window ends in which a key, team, user, customer or model has used up its limit.

LiteLLM's newer limiter (`parallel_request_limiter_v3`) keeps the start of each window beside its
counters, and tells clients the length of a whole window. The refusal does not name the counter, but
the function that raised it knows the counter and is still in the traceback. So we need no code
where requests are counted, and no call to a cache: the limiter has just put the start into the
memory of this process (from 1.110.0 on into that of its store in Rust).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from traceback import walk_tb
from typing import Any

from ...wait.cooldown_records import usable_timestamp

_LIMITER = "parallel_request_limiter_v3"
_COUNTED_BY_THE_WINDOW = ("requests", "tokens")
"""Parallel requests are not: one of those may end at any moment."""


def window_end(error: BaseException, clock: float) -> float | None:
    """`time.time()` at which the counter that refused is reset; None if unknown.

    Args:
        clock: `time.time()`.
    """
    found = _locals_of_limiter(error)
    if found is None:
        return None
    limiter, status = found["self"], found["status"]
    descriptor = found.get("matching_descriptor") or found["descriptor"]
    if status.get("rate_limit_type", "requests") not in _COUNTED_BY_THE_WINDOW:
        return None
    start, expires = _window(limiter, descriptor["key"], descriptor["value"])
    size = (descriptor.get("rate_limit") or {}).get("window_size") or limiter.window_size
    if start is None:
        return None
    # The start is truncated to a whole second, and the entry is written up to a second after it.
    # Until the entry expires, the limiter refuses without looking at the start.
    end = max(start + size, min(expires, start + size + 1))
    return end if clock < end <= clock + size + 1 else None


def _window(limiter: Any, kind: str, value: str) -> tuple[float | None, float]:
    """The start of a window, and when its entry expires (`math.inf` where that is unreadable)."""
    store = getattr(limiter, "rate_limits", None)
    if store is not None:
        (start,) = store.local((limiter.rate_limit_counter(kind, value, "requests").window,))
        return usable_timestamp(float(start)), math.inf
    key = f"{{{kind}:{value}}}:window"
    memory = limiter.internal_usage_cache.dual_cache.in_memory_cache
    expires = usable_timestamp(memory.ttl_dict.get(key)) or 0.0
    return usable_timestamp(float(memory.cache_dict[key])), expires


def _locals_of_limiter(error: BaseException) -> Mapping[str, Any] | None:
    """The variables of the limiter's function that raised `error`."""
    found: Mapping[str, Any] = {}
    for frame, _ in walk_tb(error.__traceback__):
        if str(frame.f_globals.get("__name__", "")).endswith(_LIMITER):
            found = frame.f_locals
    return found if "status" in found else None
