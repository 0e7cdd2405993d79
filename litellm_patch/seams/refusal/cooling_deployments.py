"""When the first of the deployments that could have served a refused request is ready again."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import FrameType
from typing import Any

from ...log import failed, once
from ...wait.cooldown_records import first_to_end
from ...wait.cooling import Cooling
from ...wait.delay_seconds import usable_seconds
from ...wait.exception_chain import SHORTEST
from ...wait.known_clients import honoured_by
from ...wait.known_rate import KnownRate
from ...wait.litellm_errors import is_pinned_refusal
from ...wait.shared_pacing import Waiting
from ...wait.shared_part import SharedPlace
from ..record.asked_cooldowns import Asked
from ..record.cooldown_cache import held_cooldown, redis_of
from ..record.cooldown_store import stored_cooldowns
from ..record.group_rate import cache_of, known_rate, known_rate_of, proxy_router
from ..record.shared_queue import SharedQueues
from .refused_request import (
    Deployment,
    RefusedRequest,
    candidates,
    deployment_id,
    pinned_to,
    request_below,
    request_that_raised,
)

_queues = SharedQueues()

_COOLDOWN_CACHES = ("_core_cooldown_cache", "cooldown_cache", "_cooldowns")
"""Where the router has its `CooldownCache`: since 1.109.1, before, and in Rust."""


@dataclass(frozen=True)
class _Refused:
    """Deployments that could have served a request, and whether that is certain.

    Attributes:
        ids: the ids of the deployments.
        certain: the router chose from just these; else they are those that LiteLLM asked for.
        router: the router that refused the request, where it could be read.
        deployments: the router's entries of `ids`, where they could be read.
    """

    ids: tuple[str, ...]
    certain: bool
    router: Any = None
    deployments: Sequence[Deployment] = field(default=())


def cooling_of_refusal(
    refusal: Any, asked: Asked | None, frame: FrameType | None
) -> Cooling | None:
    """The cooldowns that a refusal waits for; None where LiteLLM's own number stands.

    Args:
        refusal: LiteLLM's `RouterRateLimitError`.
        asked: what LiteLLM asked its cooldown cache for this refusal.
        frame: the frame of LiteLLM that makes the refusal.
    """
    request = request_below(frame)
    refused = _named_by(refusal) or _read_from(request)
    if refused is None and asked is not None:
        refused = _Refused(asked.model_ids, certain=False)
    cooldowns = asked.cooldowns if asked is not None else _cooldowns_of(request and request.router)
    if refused is None or cooldowns is None:
        return None
    # The ids alone, or each with its record (up to 1.75).
    listed = (each[0] if isinstance(each, tuple) else each for each in refusal.cooldown_list)
    found = _cooling(refused, cooldowns, refusal.model, frozenset(listed))
    return None if found is None else replace(found, honoured=_honoured(request))


def cooling_beside_limit(error: BaseException) -> Cooling | None:
    """The cooling deployments of the request that a limit of LiteLLM's refused."""
    if is_pinned_refusal(error):
        router, model_id = pinned_to(error.__traceback__) or (None, "")
        cooldowns = _cooldowns_of(router)
        return cooldowns and _cooling(_Refused((model_id,), certain=True), cooldowns, "")
    request = request_that_raised(error.__traceback__)
    refused, cooldowns = _read_from(request), _cooldowns_of(request and request.router)
    if request is None or refused is None or cooldowns is None:
        return None
    cooling = _cooling(refused, cooldowns, request.model)
    return cooling if cooling is not None and cooling.ready_at is not None else None


def _named_by(refusal: Any) -> _Refused | None:
    """Those of its deployments that are cooling, which a refusal names from 1.109.1 on."""
    named = getattr(refusal, "cooldown_deployments", None)
    if named is None:
        return None
    return _Refused(tuple(str(each["model_id"]) for each in named), certain=True)


def _read_from(request: RefusedRequest | None) -> _Refused | None:
    if request is None:
        return None
    try:
        found = candidates(request)
    except Exception as error:
        failed("the deployments of a refused request cannot be read", error)
        return None
    return _Refused(tuple(deployment_id(each) for each in found), True, request.router, found)


def _cooling(
    refused: _Refused, cooldowns: Any, group: str, listed: Collection[str] = ()
) -> Cooling | None:
    """The cooldown of `refused` that ends first.

    Args:
        cooldowns: LiteLLM's `CooldownCache`, or what its store told before the refusal.
        listed: ids of deployments that were cooling when LiteLLM refused.
    """
    now, ready = time.time(), time.monotonic()
    stored = stored_cooldowns(cooldowns)
    look = partial(held_cooldown, cooldowns) if stored is None else stored.held
    held = {each: look(each) for each in refused.ids}
    first = first_to_end([each for each in held.values() if each is not None], now)
    queue = "|".join(sorted(refused.ids)) or group
    if first is not None:
        seconds, cooldown = first
        return Cooling(
            ready + seconds,
            queue,
            _lasts(cooldown.record),
            partial(_rate, refused, group),
            shared_place=partial(_shared_place, refused, cooldowns, queue),
        )
    if any(each is not None for each in held.values()) or not refused.certain:
        return None  # a record without a usable end
    if any(each in listed for each in refused.ids):
        return Cooling(ready + SHORTEST, queue)  # its cooldown has ended since
    return Cooling(None, queue)


def _lasts(record: object) -> float | None:
    """The configured length of a cooldown, in seconds, by its record."""
    return usable_seconds(record.get("cooldown_time")) if isinstance(record, Mapping) else None


def _rate(refused: _Refused, group: str) -> KnownRate:
    try:
        if refused.router is None:
            return known_rate(group)
        return known_rate_of(refused.router, refused.deployments)
    except Exception as error:  # LiteLLM's router has changed; the queue learns the rate itself
        once(logging.DEBUG, f"the router's rates cannot be read: {type(error).__name__}: {error}")
        return KnownRate()


def _shared_place(
    refused: _Refused, cooldowns: Any, queue: str, waiting: Waiting
) -> SharedPlace | None:
    """A place in the queue of all proxies, if the router has a Redis that answers."""
    try:
        if stored_cooldowns(cooldowns) is None:
            redis = redis_of(cooldowns)
        else:
            router = refused.router or proxy_router()
            redis = None if router is None else cache_of(router).redis_cache
        return None if redis is None else _queues.place(redis, queue, waiting)
    except Exception as error:
        failed("the queue of all proxies cannot be used, each has its own", error)
        return None


def _honoured(request: RefusedRequest | None) -> float | None:
    """The longest wait that the client acts on, by the headers that LiteLLM's proxy keeps."""
    sent = request.kwargs.get("proxy_server_request") if request is not None else None
    headers = sent.get("headers") if isinstance(sent, Mapping) else None
    return honoured_by(headers) if isinstance(headers, Mapping) else None


def _cooldowns_of(router: Any) -> Any:
    found = (getattr(router, name, None) for name in _COOLDOWN_CACHES)
    return next((each for each in found if each is not None), None)
