"""Requests for the fastest of several models, all of which refuse (``fastest_response: true``).

LiteLLM then raises a bare `Exception` and drops the errors of the models, so the client gets a 500.
Two sources show whether all of them refused. The variables of the function that raised still hold
the tasks that ended last, with their errors. For the other models we remember the last refusal: if
it tells of a cooldown or a spent budget that has not ended yet, no request to this model can have
reached a provider meanwhile. A refusal by an rpm limit is not remembered, since no seam sees it.
"""

from __future__ import annotations

import time
from asyncio import Task
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from traceback import walk_tb
from typing import Any

from ...wait import marks, recent
from ...wait.cooling import Cooling
from ...wait.exception_chain import COOLING, FALLBACK_REFUSALS
from ...wait.limits import WINDOW_END
from ...wait.litellm_errors import CROSSED_BUDGET, is_own_refusal

_ALL_FAILED = ("All tasks failed",)
_KEPT_AT_MOST = 1000
_last: OrderedDict[str, BaseException] = OrderedDict()


def keep(refusal: BaseException) -> None:
    """Remember the last refusal of its model, without its cause and traceback."""
    model = getattr(refusal, "model", None)
    if isinstance(model, str):
        recent.keep(_last, model, _copy(refusal), _KEPT_AT_MOST)


def keep_budget(models: Iterable[object], told: str, ends_at: float) -> None:
    """Remember that a budget, whose refusal says `told`, refuses `models` until `ends_at`."""
    for model in {each for each in models if isinstance(each, str)}:
        refusal = ValueError(f"{CROSSED_BUDGET}: {told}")
        marks.put(refusal, WINDOW_END, ends_at)
        recent.keep(_last, model, refusal, _KEPT_AT_MOST)


def lead_to_refusals(error: BaseException | None) -> bool:
    """Whether `error` means that all models refused; then it leads to their refusals."""
    if error is None or type(error) is not Exception or error.args != _ALL_FAILED:
        return False
    variables = _variables(error)
    models, ended = variables.get("models"), [*_ended(variables)]
    if not models or not all(
        isinstance(each, Exception) and is_own_refusal(each) for each in ended
    ):
        return False
    if len(ended) < len(models):
        # A refusal that does not name its model may be that of any.
        said = [getattr(each, "model", None) for each in ended]
        found = [_last.get(model) for model in models if model not in said]
        kept = [each for each in found if each is not None and _still_refuses(each)]
        if len(kept) < len(found) or len(kept) + len(ended) < len(models):
            return False
        ended += [_copy(each) for each in kept]
    marks.put(error, FALLBACK_REFUSALS, ended)
    return True


def _still_refuses(refusal: BaseException) -> bool:
    cooling, budget_end = marks.get(refusal, COOLING), marks.get(refusal, WINDOW_END)
    if isinstance(budget_end, float):
        return budget_end > time.time()
    if not isinstance(cooling, Cooling) or cooling.ready_at is None:
        return False
    return cooling.ready_at > time.monotonic()


def _variables(error: BaseException) -> Mapping[str, Any]:
    """The variables of the innermost function with a list of models that `error` came through."""
    variables: Mapping[str, Any] = {}
    for frame, _ in walk_tb(error.__traceback__):
        if isinstance(frame.f_locals.get("models"), list):
            variables = frame.f_locals
    return variables


def _ended(variables: Mapping[str, Any]) -> Iterator[object]:
    """The errors or results of the models that ended last; of one model at least."""
    tasks = {*(variables.get("done") or ()), variables.get("task")}
    for task in tasks:
        if isinstance(task, Task) and task.done() and not task.cancelled():
            yield task.exception() or task.result()


def _copy(refusal: BaseException) -> BaseException:
    """A copy for one client: each has a place of its own, which its exception keeps."""
    copy = type(refusal).__new__(type(refusal), *refusal.args)
    vars(copy).update(vars(refusal))
    return copy
