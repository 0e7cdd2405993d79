"""The fastest of several models, all of which refuse (``fastest_response: true``).

LiteLLM then raises a bare `Exception` and keeps none of the errors of the models, so the client
gets a 500. Whether they all refused is known from the last refusal of each: if that tells of a
cooldown that is not over, no request to this model can have asked a provider meanwhile.
"""

from __future__ import annotations

import time
from collections import OrderedDict

from ..wait import marks
from ..wait.cooling import Cooling
from ..wait.exception_chain import COOLING, FALLBACK_REFUSALS

_ALL_FAILED = ("All tasks failed",)
_KEPT_AT_MOST = 1000
_last: OrderedDict[str, BaseException] = OrderedDict()


def keep(refusal: BaseException) -> None:
    """Remember the last refusal of its model, without what it was raised from."""
    model = getattr(refusal, "model", None)
    if isinstance(model, str):
        _last[model] = _copy(refusal)
        _last.move_to_end(model)
        while len(_last) > _KEPT_AT_MOST:
            _last.popitem(last=False)


def lead_to_refusals(error: BaseException | None) -> bool:
    """Whether `error` means that all models are cooling; then it leads to their refusals."""
    if error is None or type(error) is not Exception or error.args != _ALL_FAILED:
        return False
    now = time.monotonic()
    found = [_last.get(model) for model in _models(error)]
    refusals = [each for each in found if each is not None and _is_cooling(each, now)]
    if not refusals or len(refusals) < len(found):
        return False
    marks.put(error, FALLBACK_REFUSALS, [_copy(each) for each in refusals])
    return True


def _is_cooling(refusal: BaseException, now: float) -> bool:
    cooling = marks.get(refusal, COOLING)
    return isinstance(cooling, Cooling) and cooling.ready_at is not None and cooling.ready_at > now


def _models(error: BaseException) -> list[str]:
    """The models that were asked: a variable of the function that raised `error`."""
    models: object = None
    trace = error.__traceback__
    while trace is not None:
        models = trace.tb_frame.f_locals.get("models", models)
        trace = trace.tb_next
    return [str(model) for model in models] if isinstance(models, (list, tuple)) else []


def _copy(refusal: BaseException) -> BaseException:
    """Each client has a place of its own, and an exception keeps the one that it was given."""
    copy = type(refusal).__new__(type(refusal), *refusal.args)
    vars(copy).update(vars(refusal))
    return copy
