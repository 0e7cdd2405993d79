"""The refusal carries it: `RouterRateLimitError` learns when its deployments are ready."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..wait import marks
from ..wait.exception_chain import COOLING, SHORTEST
from .asked_cooldowns import take_question
from .cooling_deployments import cooling_of_refusal
from .refused_request import caller


def put_on_refusal(refusal: Any, arguments: Mapping[str, Any], result: object) -> None:
    """Give a new `RouterRateLimitError` the time at which its first deployment is ready.

    `retry_after` (seconds, at the time of raising) is for people's own code; nothing in
    LiteLLM reads it. Attributes that LiteLLM does read, such as `headers` or `response`, must
    stay away: they steer its cooldowns and sleeps.
    """
    configured, frame = arguments["cooldown_time"], caller()
    cooling = cooling_of_refusal(refusal, take_question(arguments, frame), frame)
    if cooling is None:
        refusal.retry_after = configured
        return
    marks.put(refusal, COOLING, cooling)
    ready_at = cooling.ready_at
    left = None if ready_at is None else max(ready_at - time.monotonic(), SHORTEST)
    refusal.retry_after = left
