"""The rate that a model group takes, as far as LiteLLM's router has it in memory.

There are two sources: the rpm limits that the operator configured, and the successes that the
router counts per deployment for its own cooldown decisions (``<id>:successes`` in the in-memory
part of its cache). Nothing here asks Redis, waits, or changes anything in LiteLLM.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...wait.known_rate import KnownRate

COUNTED_FOR = 60.0
"""Seconds from the first success of a deployment until LiteLLM drops the count."""

SHORTEST_SAMPLE = 5.0
"""Seconds. A count over a shorter time is spread over this: three successes in a tenth of a second
do not show that a provider takes thirty a second."""


def known_rate(group: str) -> KnownRate:
    """What the proxy's router knows about `group`; all None without such a router."""
    router = proxy_router()
    if router is None:
        return KnownRate()
    return known_rate_of(router, _deployments(router, group))


def known_rate_of(router: Any, deployments: Sequence[Mapping[str, Any]]) -> KnownRate:
    """What `router` knows about the rate that `deployments` take together.

    Args:
        router: LiteLLM's router, or the object behind it that chooses deployments.
    """
    return KnownRate(
        limit=configured_limit(deployments),
        served=served_rate(_counts(router, deployments), time.time()),
    )


def proxy_router() -> Any:
    """The router of the proxy in this process; None if no proxy runs here."""
    return getattr(sys.modules.get("litellm.proxy.proxy_server"), "llm_router", None)


def cache_of(router: Any) -> Any:
    """The router's cache, which has the Redis that its proxies share, if any."""
    return router.health().store if hasattr(type(router), "health") else router.cache


def configured_limit(deployments: Iterable[Mapping[str, Any]]) -> float | None:
    """Requests per second of all `deployments` together; None if one of them has no limit."""
    limits = [_rpm(deployment) for deployment in deployments]
    known = [rpm for rpm in limits if rpm is not None]
    return sum(known) / 60 if known and len(known) == len(limits) else None


def served_rate(counts: Iterable[tuple[object, object]], now: float) -> float | None:
    """Successes per second of all deployments together.

    Args:
        counts: for each deployment the number of its successes, and the `time.time()` at which
            LiteLLM drops it, which is `COUNTED_FOR` after the first of them.
        now: `time.time()`.
    """
    rates = []
    for counted, forgotten in counts:
        successes, forgotten_at = _number(counted), _number(forgotten)
        if successes is not None and forgotten_at is not None and now <= forgotten_at:
            counted_for = now - (forgotten_at - COUNTED_FOR)
            rates.append(successes / max(counted_for, SHORTEST_SAMPLE))
    return sum(rates) if rates else None


def _deployments(router: Any, group: str) -> list[Mapping[str, Any]]:
    """The router's deployments of `group`, without its aliases."""
    if hasattr(type(router), "registry"):  # 1.109.1, where `model_list` warns of its deprecation
        return list(router.registry().deployments(group, source="named") or ())
    return [entry for entry in router.model_list if entry.get("model_name") == group]


def _counts(
    router: Any, deployments: Iterable[Mapping[str, Any]]
) -> Iterable[tuple[object, object]]:
    memory = cache_of(router).in_memory_cache
    # Caches without this method prolong an entry with each success, so that neither the beginning
    # nor the end of the count is known.
    if not hasattr(memory, "allow_ttl_override"):
        return
    for deployment in deployments:
        key = f"{(deployment.get('model_info') or {}).get('id')}:successes"
        yield memory.cache_dict.get(key), memory.ttl_dict.get(key)


def _rpm(deployment: Mapping[str, Any]) -> float | None:
    """The rpm limit of a deployment, from the places where LiteLLM's own router looks."""
    for place in (deployment.get("litellm_params"), deployment, deployment.get("model_info")):
        rpm = None if place is None else _number(place.get("rpm"))
        if rpm is not None and rpm > 0:
            return rpm
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)
