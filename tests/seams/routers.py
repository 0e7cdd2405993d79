"""What tests do to LiteLLM's real routers, in Python and in Rust."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litellm_patch.seams.refusal.cooling_deployments import _cooldowns_of


def cool(router: Any, lasts: Mapping[str, float]) -> Any:
    """Cool deployments down, by id, for so many seconds; returns the cache of cooldowns."""
    cache = _cooldowns_of(router) or router.health().cooldowns
    for model_id, seconds in lasts.items():
        cache.add_deployment_to_cooldown(
            model_id=model_id,
            original_exception=ValueError("429"),
            exception_status=429,
            cooldown_time=seconds,
        )
    return cache


def is_left(seconds: float | None, lasts: float) -> bool:
    """Whether `seconds` may be left of a cooldown of `lasts`, on a machine that may be slow."""
    return seconds is not None and lasts - 15 < seconds <= lasts
