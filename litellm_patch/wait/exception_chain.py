"""Which exception of a chain decides how long a client must wait.

LiteLLM's exceptions are recognised by the names of their classes, not by identity: this
module stays free of litellm, and a class survives `importlib.reload` or a second LiteLLM
tree under another identity but the same name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from .delay_seconds import usable_seconds

NO_DEPLOYMENTS = "No deployments available"
"""What LiteLLM's proxy looks for in a message when it turns an error into a 429
(`RouterErrors.no_deployments_available`; LiteLLM issue #2487)."""

READY_AT = "litellm_patch_ready_at"
"""Attribute that the router seam puts on a refusal: `time.monotonic()` at which the first
deployment may be used again."""

FALLBACK_REFUSALS = "litellm_patch_fallback_refusals"
"""Attribute that the fallback seam puts on the error of a model group: a list of the refusals
of its fallbacks, which LiteLLM itself does not link to it."""

SHORTEST = 0.001
"""Seconds that a refusal tells at least: 0 is for a configured 0 alone."""

_EXAMINED_AT_MOST = 1000


@dataclass(frozen=True)
class Refusal:
    """What a chain of exceptions says about a request that LiteLLM's router refused.

    Attributes:
        seconds: until the first of the refusing groups may be used again; None where LiteLLM
            gave no usable number.
        configured: the smallest `cooldown_time` in the chain, in seconds, which is what
            LiteLLM's own header (1.90.0 and later, PR #30098) is made from.
    """

    seconds: float | None
    configured: float | None


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
        refusals = [found for found in related(error) if is_cooldown_refusal(found)]
        if refusals:
            return Refusal(
                seconds=_smallest([_seconds_left(found, now) for found in refusals]),
                configured=_smallest([_configured(found) for found in refusals]),
            )
    return None


def is_cooldown_refusal(error: BaseException) -> bool:
    """Whether `error` is LiteLLM's `litellm.types.router.RouterRateLimitError`."""
    return is_named(error, "litellm.types.router", "RouterRateLimitError")


def is_named(error: BaseException, module: str, name: str) -> bool:
    """Whether `error` is an instance of the class that is called `name` in `module`."""
    return any(kind.__name__ == name and kind.__module__ == module for kind in type(error).__mro__)


def related(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it was raised from, nearest first; ends on cycles and endless chains."""
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
        below.extend(getattr(current, FALLBACK_REFUSALS, ()))
        queue.extend(item for item in below if isinstance(item, BaseException))


def _configured(refusal: BaseException) -> float | None:
    return usable_seconds(getattr(refusal, "cooldown_time", None))


def _seconds_left(refusal: BaseException, now: float) -> float | None:
    ready_at = getattr(refusal, READY_AT, None)
    if isinstance(ready_at, float):
        return usable_seconds(max(ready_at - now, SHORTEST))
    return _configured(refusal)


def _smallest(values: list[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)
