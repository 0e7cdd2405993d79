"""When a refusal by a spent budget ends.

LiteLLM's refusal carries a text and no time, so we remember the time under the text.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from ...wait import recent
from ..record.budgets import end_of_budgets
from . import fastest_response

_KEPT_AT_MOST = 200
_ends: OrderedDict[str, float] = OrderedDict()


def remember_end(limiter: Any, arguments: Mapping[str, Any], result: Any) -> None:
    """If all deployments were filtered out, remember when the first is open again."""
    allowed, told = result
    ends_at = None if allowed else end_of_budgets(limiter, arguments)
    if ends_at is not None:
        remember(told, ends_at)
        models = (each.get("model_name") for each in arguments["healthy_deployments"])
        fastest_response.keep_budget(models, told, ends_at)


def remember(told: str, ends_at: float) -> None:
    """Remember until when (`time.time()`) the refusal that says `told` holds."""
    recent.keep(_ends, told, ends_at, _KEPT_AT_MOST)


def end_of(refusal: BaseException) -> float | None:
    """`time.time()` at which the refusal by a budget ends; None if unknown."""
    text = str(refusal)
    ends = [end for told, end in list(_ends.items()) if told and told in text]
    return ends[-1] if ends else None  # the last to be noted was crossed just now
