"""The refusal carries it: `RouterRateLimitError` learns when its model group is ready."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..wait.exception_chain import READY_AT, SHORTEST
from .cooldown_cache import NOTE


def put_on_refusal(refusal: Any, arguments: Mapping[str, Any], result: object) -> None:
    """Give a new `RouterRateLimitError` the time at which its group is ready.

    `retry_after` (seconds, at the time of raising) is for people's own code; nothing in
    LiteLLM reads it or READY_AT. Attributes that LiteLLM does read, such as `headers` or
    `response`, must stay away: they steer its cooldowns and sleeps.
    """
    note = NOTE.get()
    NOTE.set(None)
    configured = arguments["cooldown_time"]
    if note is None or note[0] is not configured:
        refusal.retry_after = configured
        return
    ready_at = note[1]
    setattr(refusal, READY_AT, ready_at)
    refusal.retry_after = max(ready_at - time.monotonic(), SHORTEST)
