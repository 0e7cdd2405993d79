"""What the seams find in LiteLLM 1.89.7, whose router is in Python, and in 1.110.2: it is in Rust.

An environment has one of the two. These are the places of both, as far as the seams look at them;
`test_table.py` compares them with the installed release where it is one of the two.
"""

from __future__ import annotations

import textwrap
import types
from typing import Any

BOTH = {
    "litellm.types.router": """
        class RouterRateLimitError(ValueError):
            def __init__(self, model, cooldown_time, enable_pre_call_checks, cooldown_list): ...
    """,
    "litellm.router_utils.fallback_event_handlers": """
        async def log_failure_fallback_event(original_model_group, kwargs, original_exception): ...
    """,
    "litellm.router_strategy.budget_limiter": """
        class RouterBudgetLimiting:
            def _filter_out_deployments_above_budget(
                self, potential_deployments, healthy_deployments, provider_configs,
                deployment_configs, deployment_providers, spend_map, request_tags): ...
    """,
    "litellm.proxy._types": """
        class ProxyException(Exception):
            def __init__(
                self, message, type, param, code=None, headers=None, openai_code=None,
                provider_specific_fields=None): ...
    """,
    "litellm.proxy.common_request_processing": """
        class JSONResponse:
            def __init__(
                self, content, status_code=200, headers=None, media_type=None, background=None): ...
    """,
}
COOLDOWNS = """
    class CooldownCache:
        def __init__(self, {init_parameter}): ...
        def add_deployment_to_cooldown(
            self, model_id, original_exception, exception_status, cooldown_time): ...
        def get_active_cooldowns(self, model_ids, parent_otel_span): ...
        def get_min_cooldown(self, model_ids, parent_otel_span): ...
"""
SHAPES = {
    "1.89.7": {
        **BOTH,
        "litellm.router_utils.cooldown_cache": COOLDOWNS.format(
            init_parameter="cache, default_cooldown_time"
        ),
    },
    "1.110.2": {
        **BOTH,
        "litellm.router_utils.cooldown_cache": COOLDOWNS.format(
            init_parameter="store, default_cooldown_time, *, clock=None"
        ),
        "litellm.types.router": """
            class RouterRateLimitError(ValueError):
                def __init__(
                    self, model, cooldown_time, enable_pre_call_checks, cooldown_list,
                    model_ids=(), cooldown_deployments=None): ...
        """,
        "litellm.redis.stores.router_cooldowns": """
            class RouterCooldownStore:
                def put(self, model_id, value, ttl): ...
                async def async_put(self, model_id, value, ttl): ...
        """,
        "litellm.router_rust.invoke.walk": """
            class FallbackOutcomes:
                def done(self, event, level_error, hop_error, kwargs): ...
        """,
    },
}


def modules(release: str) -> dict[str, Any]:
    """New modules with the places of a release, by their names."""
    made = {}
    for name, source in SHAPES[release].items():
        made[name] = types.ModuleType(name)
        exec(textwrap.dedent(source), vars(made[name]))  # noqa: S102
    return made
