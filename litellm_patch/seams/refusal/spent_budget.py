"""When a refusal by a spent budget ends.

LiteLLM's refusal carries a text and no time, so we remember the time under the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...wait.limits import remember_budget
from ..record.budgets import end_of_budgets
from . import fastest_response


def remember_end(limiter: Any, arguments: Mapping[str, Any], result: Any) -> None:
    """If all deployments were filtered out, remember when the first is open again."""
    allowed, told = result
    ends_at = None if allowed else end_of_budgets(limiter, arguments)
    if ends_at is not None:
        remember_budget(told, ends_at)
        models = (each.get("model_name") for each in arguments["healthy_deployments"])
        fastest_response.keep_budget(models, told, ends_at)
