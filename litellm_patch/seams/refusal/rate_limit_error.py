"""Put on `RouterRateLimitError` when the first of its deployments is ready."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Callable

from ...wait import marks
from ...wait.exception_chain import COOLING, SHORTEST
from ..after_call import AfterCall
from ..frames import caller
from ..record.asked_cooldowns import take_question
from ..seam import Seam, Undo
from . import fastest_response
from .cooling_deployments import cooling_of_refusal

_RETRY_AFTER = "litellm_patch_retry_after"
"""Mark on a refusal: the value of its `retry_after`."""


class PutOnRefusal(AfterCall):
    """Run `put_on_refusal` after each call, and let people read the seconds as `retry_after`."""

    def __init__(self) -> None:
        super().__init__(put_on_refusal)

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        take_off = super().attach(module, seam, reached)
        refusal_class = getattr(module, seam.attribute.partition(".")[0])
        attribute = _RetryAfter()
        if not hasattr(refusal_class, "retry_after"):
            refusal_class.retry_after = attribute

        def undo() -> None:
            take_off()
            if vars(refusal_class).get("retry_after") is attribute:
                del refusal_class.retry_after

        return undo


class _RetryAfter:
    """`RouterRateLimitError.retry_after`: on the class, so that no body of LiteLLM's shows it."""

    def __get__(self, refusal: BaseException | None, owner: object = None) -> Any:
        return self if refusal is None else marks.get(refusal, _RETRY_AFTER)


def put_on_refusal(refusal: Any, arguments: Mapping[str, Any], result: object) -> None:
    """Give a new `RouterRateLimitError` the time at which its first deployment is ready.

    `retry_after` (seconds, at the time of raising) is for users' own code; nothing in LiteLLM reads
    it. Never set attributes that LiteLLM does read, such as `headers` or `response`: they steer its
    cooldowns and sleeps.
    """
    configured, frame = arguments["cooldown_time"], caller()
    cooling = cooling_of_refusal(refusal, take_question(arguments, frame), frame)
    if cooling is None:
        marks.put(refusal, _RETRY_AFTER, configured)
        return
    marks.put(refusal, COOLING, cooling)
    ready_at = cooling.ready_at
    left = None if ready_at is None else max(ready_at - time.monotonic(), SHORTEST)
    marks.put(refusal, _RETRY_AFTER, left)
    fastest_response.keep(refusal)
