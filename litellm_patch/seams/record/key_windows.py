"""When the window ends in which a key, team, user, customer or model has used up its limit.

LiteLLM's newer limiter (`parallel_request_limiter_v3`) keeps the start of each window beside its
counters, and refuses with the length of a whole one. The refusal does not say which counter it
was, but the function that raised it knows, and is still in the traceback. So nothing of ours
runs when a request is counted, and nothing is asked of any cache: the start is in the memory
of this process, where the limiter has just put it, in releases from 1.110.0 on in Rust's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ...wait.cooldown_records import usable_timestamp

_LIMITER = "parallel_request_limiter_v3"
_COUNTED_BY_THE_WINDOW = ("requests", "tokens")
"""Not parallel requests: one of those may end at any moment."""


def window_end(error: BaseException, clock: float) -> float | None:
    """`time.time()` at which the counter that refused begins anew; None if it is not known.

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
    # The start is cut to a whole second. Until the entry expires, which was written some part of
    # a second later, the limiter refuses without a look at the start.
    end = max(start + size, min(expires, start + size + 1))
    return end if clock < end <= clock + size + 1 else None


def _window(limiter: Any, kind: str, value: str) -> tuple[float | None, float]:
    """The start of a window, and when its entry expires: `math.inf` where that cannot be read."""
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
    trace, found = error.__traceback__, None
    while trace is not None:
        frame = trace.tb_frame
        if str(frame.f_globals.get("__name__", "")).endswith(_LIMITER):
            found = frame
        trace = trace.tb_next
    return None if found is None or "status" not in found.f_locals else found.f_locals
