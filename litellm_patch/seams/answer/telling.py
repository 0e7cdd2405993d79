"""Tell a refused client when to come back: the only place that turns a refusal into headers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache

from ... import metrics
from ...log import failed
from ...options import current
from ...wait import marks
from ...wait.exception_chain import COOLING, related
from ...wait.limits import WINDOW_END
from ...wait.litellm_errors import is_budget, is_limiters_429, is_own_limit, is_pinned_refusal
from ...wait.pacing import Pacer
from ...wait.tell import Teller, Told
from ..record.key_windows import window_end
from ..refusal.cooling_deployments import cooling_beside_limit
from ..refusal.spent_budget import end_of

_COUNTED = "litellm_patch_counted"


def tell(
    error: BaseException | None,
    message: str | None,
    headers: Mapping[str, str],
    seam: str,
    forward_provider: bool = False,
) -> Told | None:
    """The wait for the client of a 429 that is made of `error`; None if LiteLLM did not refuse.

    Args:
        error: the exception being handled.
        message: the text for the client, as for `wait.tell.Teller.tell`.
        headers: those that the answer already has; they are not changed.
        seam: the name of the caller, for the metrics.
        forward_provider: whether a provider's own 429 forwards its ``Retry-After``.
    """
    if error is not None:
        mark_limits(error)
    told = _teller().tell(
        error,
        message,
        headers,
        now=time.monotonic(),
        clock=time.time(),
        forward_provider=forward_provider,
    )
    if told is not None and error is not None and not _is_counted(error):
        what = (
            metrics.NOTHING if told.is_nothing else metrics.STEP if told.is_step else metrics.WAIT
        )
        metrics.refused(seam, what, None if told.is_nothing else told.seconds)
    return told


def _is_counted(error: BaseException) -> bool:
    """Whether the refusal behind `error` was counted before; LiteLLM answers some twice."""
    chain = list(related(error))
    counted = any(marks.get(each, _COUNTED) for each in chain)
    for each in chain:
        with suppress(Exception):  # some exceptions take no attributes
            marks.put(each, _COUNTED, True)
    return counted


def mark_limits(error: BaseException) -> None:
    """Note on each limit when its window ends, or which deployments beside it are cooling."""
    for each in related(error):
        if is_budget(each):
            marks.put(each, WINDOW_END, end_of(each))
        what = "the cooldowns beside a limit cannot be read"
        try:
            if is_limiters_429(each):
                what = "the window of a limit cannot be read, LiteLLM's own number stands"
                marks.put(each, WINDOW_END, window_end(each, time.time()))
            elif marks.get(each, COOLING) is None and (
                is_own_limit(each) or is_pinned_refusal(each)
            ):
                marks.put(each, COOLING, cooling_beside_limit(each))
        except Exception as problem:
            failed(what, problem)


@cache
def _teller() -> Teller:
    """The teller of this process, with its queues."""
    options = current()
    pacer = Pacer(options.rate, options.workers) if options.pacing else None
    return Teller(pacer, options.max_wait)
