"""What LiteLLM's router knows about the rate that a model group takes, read from its memory.

Two sources: the rpm limits that the operator configured, and the successes that the router
counts per deployment for its own cooldown decisions (``<id>:successes`` in the in-memory part
of its cache). Nothing here asks Redis, waits, or changes anything in LiteLLM.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable

from ...wait.pacing import KnownRate

COUNTED_FOR = 60.0
"""Seconds after its first success that LiteLLM forgets a deployment's count."""

SHORTEST_SAMPLE = 5.0
"""Seconds. A count over less time is spread over this: three successes in a tenth of a second
do not show that a provider takes thirty a second."""


def known_rate(group: str) -> KnownRate:
    """What the proxy's router knows about `group`; all None where it cannot be read."""
    router = proxy_router()
    if router is None:
        return KnownRate()
    return known_rate_of(router, _deployments(router, group))


def known_rate_of(router: Any, deployments: Sequence[Mapping[str, Any]]) -> KnownRate:
    """What `router` knows about the rate that `deployments` take together.

    Args:
        router: LiteLLM's router, or the object behind it that chooses.
    """
    return KnownRate(
        limit=configured_limit(deployments),
        served=served_rate(_counts(router, deployments), time.time()),
    )


def proxy_router() -> Any:
    """The router of the proxy that this process is; None if it is none."""
    return getattr(sys.modules.get("litellm.proxy.proxy_server"), "llm_router", None)


def cache_of(router: Any) -> Any:
    """The router's cache, which has the Redis that its proxies share, if they do."""
    health = getattr(type(router), "health", None)
    return router.health().store if health is not None else router.cache


def configured_limit(deployments: Iterable[Mapping[str, Any]]) -> float | None:
    """Requests per second of all `deployments` together; None if one of them has no limit."""
    total, found = 0.0, False
    for deployment in deployments:
        rpm = _rpm(deployment)
        if rpm is None:
            return None
        total, found = total + rpm / 60, True
    return total if found else None


def served_rate(counts: Iterable[tuple[object, object]], now: float) -> float | None:
    """Successes per second of all deployments together.

    Args:
        counts: for each deployment its successes, and the `time.time()` at which LiteLLM
            forgets them, which is `COUNTED_FOR` after the first of them.
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
    registry = getattr(type(router), "registry", None)
    if registry is not None:  # 1.109.1, where `model_list` warns that it is deprecated
        entries = router.registry().deployments(group, source="named") or ()
    else:
        entries = (entry for entry in router.model_list if entry.get("model_name") == group)
    return [entry for entry in entries if isinstance(entry, Mapping)]


def _counts(
    router: Any, deployments: Iterable[Mapping[str, Any]]
) -> Iterable[tuple[object, object]]:
    memory = cache_of(router).in_memory_cache
    # Before it had this, a cache prolonged an entry with each success, so that the count has
    # neither a known beginning nor an end.
    if not hasattr(memory, "allow_ttl_override"):
        return
    for deployment in deployments:
        key = f"{(deployment.get('model_info') or {}).get('id')}:successes"
        yield memory.cache_dict.get(key), memory.ttl_dict.get(key)


def _rpm(deployment: Mapping[str, Any]) -> float | None:
    """The rpm limit, from the places where LiteLLM's own router looks for it."""
    for place in (deployment.get("litellm_params"), deployment, deployment.get("model_info")):
        get: Callable[[str], object] | None = getattr(place, "get", None)
        rpm = _number(get("rpm")) if get is not None else None
        if rpm is not None and rpm > 0:
            return rpm
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)
