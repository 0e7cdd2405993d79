"""When a budget of a provider, a deployment or a tag is open again.

LiteLLM caches the spend under a key that expires when the budget's window ends, and refuses until
then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def end_of_budgets(limiter: Any, arguments: Mapping[str, Any]) -> float | None:
    """`time.time()` at which the first of the deployments is open again; None if unknown.

    Args:
        limiter, arguments: those of LiteLLM's function that filters by budgets.
    """
    ends = [_end(limiter, arguments, each) for each in arguments["healthy_deployments"]]
    return min((end for end in ends if end is not None), default=None)


def _end(limiter: Any, arguments: Mapping[str, Any], deployment: Mapping[str, Any]) -> float | None:
    """`time.time()` at which the last of the spent budgets of a deployment ends."""
    expiries = limiter.dual_cache.in_memory_cache.ttl_dict
    spent = arguments["spend_map"]
    ends = [
        expiries.get(key)
        for key, budget in _budgets(limiter, arguments, deployment)
        if budget and spent.get(key, 0.0) >= budget
    ]
    return max(ends) if ends and all(isinstance(end, (int, float)) for end in ends) else None


def _budgets(
    limiter: Any, arguments: Mapping[str, Any], deployment: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """The cache keys and the limits of the budgets that apply to a deployment."""
    provider = limiter._get_llm_provider_for_deployment(deployment)
    model_id = deployment.get("model_info", {}).get("id")
    for kind, name, budgets in (
        ("provider", provider, arguments["provider_configs"]),
        ("deployment", model_id, arguments["deployment_configs"]),
        *(("tag", tag, limiter.tag_budget_config) for tag in arguments["request_tags"]),
    ):
        if budgets and name in budgets:
            budget = budgets[name]
            yield f"{kind}_spend:{name}:{budget.budget_duration}", budget.max_budget
