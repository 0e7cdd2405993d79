"""Groups with a fallback that is cooling: there the group that decides is not the one asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ...wait.delay_seconds import parse_delay_seconds
from .client import Response
from .cooling import CHAT, ask
from .proxy import Proxy, group
from .stand_in import Refuse, StandIn
from .told import Told, retry_after_of, says_so

_FAILING, _FALLBACK = "lab-failing", "lab-fallback"
_LONG, _SHORT = "lab-long", "lab-short"
FALLBACKS = [{_FAILING: [_FALLBACK]}, {_LONG: [_SHORT]}]

_COOLDOWN = {_LONG: 90, _SHORT: 30}
"""Seconds. A release that knows no cooldown of a deployment has one for all, which proves less."""

_FAILURES = 60  # with which groups must be cooling, whatever the operator's allowed_fails


def fallback_groups(stand_in_url: str) -> list[Any]:
    """Entries of ``model_list`` for the groups that are played here."""
    return [
        *group(_FAILING, stand_in_url, [f"{_FAILING}-a"]),
        *group(_FALLBACK, stand_in_url, [f"{_FALLBACK}-a", f"{_FALLBACK}-b"]),
        *(
            entry
            for name, seconds in _COOLDOWN.items()
            for entry in group(
                name, stand_in_url, [f"{name}-a", f"{name}-b"], cooldown_time=seconds
            )
        ),
    ]


def fallback_refusals() -> Mapping[str, Refuse]:
    """How the stand-in refuses them; a 400 brings no deployment into cooldown."""
    return {f"{_FAILING}-a": Refuse(status=400, message="a bad request")}


def _own_failure(proxy: Proxy, stand_in: StandIn) -> Told:
    """The group fails by itself, and LiteLLM answers 429 since its fallback is cooling."""
    if _ask_until_it_cools(proxy, stand_in, _FALLBACK) is None:
        return Told(0)
    answer = ask(proxy, CHAT, _FAILING)
    return Told(answer.status, retry_after_of(answer), refused=says_so(answer))


def _unequal_cooldowns(proxy: Proxy, stand_in: StandIn) -> Told:
    """Both are cooling, and the fallback is the first that can serve again."""
    # The short one first: the failures of a fallback do not cool it in every release.
    _ask_until_it_cools(proxy, stand_in, _SHORT)
    answer = _ask_until_it_cools(proxy, stand_in, _LONG)
    alone = _ask_until_it_cools(proxy, stand_in, _SHORT)
    if answer is None or alone is None:
        return Told(0)
    told, wait = (_seconds(each) for each in (answer, alone))
    between = (_COOLDOWN[_LONG] - _COOLDOWN[_SHORT]) / 2
    too_long = told is not None and wait is not None and told > wait + between
    return Told(answer.status, retry_after_of(answer), says_so(answer), too_long=too_long)


SCENARIOS: Mapping[str, Callable[[Proxy, StandIn], Told]] = {
    "own failure, fallback cools": _own_failure,
    "unequal cooldowns": _unequal_cooldowns,
}


def _ask_until_it_cools(proxy: Proxy, stand_in: StandIn, model: str) -> Response | None:
    """The first answer for which no provider was asked, also none of a fallback."""
    for _ in range(_FAILURES):
        asked = len(stand_in.seen)
        answer = ask(proxy, CHAT, model)
        if len(stand_in.seen) == asked and says_so(answer):
            return answer
    return None


def _seconds(answer: Response) -> float | None:
    values = retry_after_of(answer)
    return parse_delay_seconds(values[0]) if len(values) == 1 else None
