"""LiteLLM's real routers, in Python and in Rust, and what tests do to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litellm_patch.seams.refusal.cooling_deployments import _cooldowns_of


def entry(
    model_id: str, group: str = "m", info: Mapping[str, object] | None = None, **params: object
) -> dict[str, Any]:
    """An entry of a model list, for a deployment that answers by itself."""
    model = {"model": f"openai/{model_id}", "api_key": "x", "mock_response": "yes"}
    return {
        "model_name": group,
        "litellm_params": {**model, **params},
        "model_info": {"id": model_id, **(info or {})},
    }


def router_of(*entries: dict[str, Any] | str, **settings: object) -> Any:
    """A router, by default of one group, with deployments of these ids."""
    import litellm

    model_list = [entry(each) if isinstance(each, str) else each for each in entries]
    return litellm.Router(model_list=model_list, num_retries=0, **settings)


def cool(router: Any, lasts: Mapping[str, float]) -> Any:
    """Cool deployments down, by id, for so many seconds; returns the cache of cooldowns."""
    cache = _cooldowns_of(router) or router.health().cooldowns
    for model_id, seconds in lasts.items():
        put(cache, model_id, seconds)
    return cache


def put(cooldowns: Any, model_id: str, seconds: float) -> None:
    """Let LiteLLM's cache of cooldowns record one."""
    cooldowns.add_deployment_to_cooldown(
        model_id=model_id,
        original_exception=ValueError("429"),
        exception_status=429,
        cooldown_time=seconds,
    )


def is_left(seconds: float | None, lasts: float) -> bool:
    """Whether `seconds` may be left of a cooldown of `lasts`, on a machine that may be slow."""
    return seconds is not None and lasts - 15 < seconds <= lasts
