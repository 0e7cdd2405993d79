"""Which exceptions of a chain refuse, and the wait of the one that decides."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from . import marks
from .cooling import Cooling
from .delay_seconds import delay_seconds, usable_seconds
from .litellm_errors import NO_DEPLOYMENTS, is_cooldown_refusal

COOLING = "litellm_patch_cooling"
"""Mark on a refusal: a `Cooling`."""

FALLBACK_REFUSALS = "litellm_patch_fallback_refusals"
"""Mark on the error of a model group: a list of the refusals of its fallbacks, which LiteLLM
itself does not link to the error."""

SHORTEST = 0.001
"""Seconds. The shortest wait that is told; 0 is told only if it was configured."""

_EXAMINED_AT_MOST = 1000


@dataclass(frozen=True)
class Refusal:
    """A request that LiteLLM refused by itself, and what its client can be told.

    Attributes:
        seconds: until the first of the refusing groups may be used again, if known.
        native: the values that LiteLLM's own header (1.90.0 and later, PR #30098) may have for
            this refusal. They tell the configured cooldown, so a better number replaces them.
        cooling: the deployments whose cooldown ends after `seconds`, if it is a cooldown.
        source: the exception that `seconds` was read from.
        endless: no wait can come true, because none of the deployments is cooling.
        out_of_reach: the client's retries do not last that long, so it is told nothing.
    """

    seconds: float | None
    native: frozenset[str] = frozenset()
    cooling: Cooling | None = None
    source: BaseException | None = None
    endless: bool = False
    out_of_reach: bool = False


def native_values(*configured: object) -> frozenset[str]:
    """What LiteLLM's own header tells for each usable number of `configured` seconds."""
    usable = [usable_seconds(value) for value in configured]
    return frozenset(delay_seconds(value) for value in usable if value is not None)


def first_of(refusals: Sequence[Refusal]) -> Refusal:
    """The refusal with the shortest wait, since the first group that can serve decides."""
    known = [each for each in refusals if each.seconds is not None]
    if known:
        return min(known, key=lambda each: each.seconds or 0.0)
    return Refusal(None, endless=all(each.endless for each in refusals))


def find_refusal(error: BaseException | None, message: str | None, now: float) -> Refusal | None:
    """The router's refusal behind `error`, or None where the router did not refuse.

    Args:
        error: the exception being handled.
        message: what the client is going to be told. A refusal further down the chain counts
            only if this says so, since an old refusal may hang below an unrelated failure.
            None means that the whole chain counts.
        now: `time.monotonic()`.
    """
    if error is None:
        return None
    if is_cooldown_refusal(error) or message is None or NO_DEPLOYMENTS in message:
        found = [each for each in related(error) if is_cooldown_refusal(each)]
        if found:
            first = first_of([_refusal(each, now) for each in found])
            native = native_values(*(getattr(each, "cooldown_time", None) for each in found))
            return replace(first, native=native)
    return None


def until_ready(error: BaseException, now: float) -> Refusal | None:
    """The wait for the cooling deployments that `error` is marked with; None if it has no mark."""
    cooling = marks.get(error, COOLING)
    if not isinstance(cooling, Cooling):
        return None
    if cooling.ready_at is None:
        return Refusal(None, endless=True)
    seconds = usable_seconds(max(cooling.ready_at - now, SHORTEST))
    return Refusal(seconds, cooling=cooling, source=error)


def related(error: BaseException) -> Iterator[BaseException]:
    """`error` and the exceptions that it was raised from, nearest first; ends on any cycle."""
    queue = deque([error])
    seen: set[int] = set()
    while queue and len(seen) < _EXAMINED_AT_MOST:
        current = queue.popleft()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        members = getattr(current, "exceptions", ())  # of an exception group
        below = [current.__cause__, current.__context__]
        if isinstance(members, (list, tuple)):
            below.extend(members)
        below.extend(refusals_of_fallbacks(current))
        queue.extend(item for item in below if isinstance(item, BaseException))


def refusals_of_fallbacks(error: BaseException) -> list[BaseException]:
    """The refusals of fallbacks that `error` is marked with."""
    kept = marks.get(error, FALLBACK_REFUSALS)
    return list(kept) if isinstance(kept, list) else []


def _refusal(error: BaseException, now: float) -> Refusal:
    configured = usable_seconds(getattr(error, "cooldown_time", None))
    return until_ready(error, now) or Refusal(configured, source=error)
