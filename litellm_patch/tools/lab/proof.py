"""Ask every kind of endpoint of two real proxies, with and without the patch, while cooling."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ...bootstrap import LAUNCH_WITH_PATCH
from ...options import MAX_WAIT
from ...wait.delay_seconds import parse_delay_seconds
from ...wait.litellm_errors import NO_DEPLOYMENTS
from .client import Response
from .cooling import (
    CHAT,
    ROUTE_ALL,
    DidNotCool,
    ask,
    cool_down,
    cooled_by,
    group_of,
    model_list,
    says_so,
)
from .endpoints import ENDPOINTS, Endpoint
from .own_settings import OwnSettings
from .proxy import Proxy, config, group, running_proxy
from .stand_in import Refuse, StandIn, running_stand_in

_COOLDOWN = 60.0  # seconds, where the operator's settings say nothing
_TRIES = 3
_FAILURES = 60  # with which a group must be cooling, whatever the operator's allowed_fails
_LOGGED_WITHIN = 1.0  # seconds after the answer, for an exception that escaped an endpoint

GROUPS_AT_MOST = 20
"""At most so many of the operator's own groups are asked; the rest would tell nothing new."""

WITH_FALLBACK = "own failure, fallback cools"
"""A group fails by itself, and LiteLLM answers 429 since its fallback is cooling."""

_FAILING, _FALLBACK = "lab-failing", "lab-fallback"
_BAD_REQUEST = Refuse(status=400, message="a bad request")  # brings no deployment into cooldown


@dataclass(frozen=True)
class Told:
    """One proxy's answer to one kind of request.

    Attributes:
        status: of the answer; 0 where the kind could not be asked.
        retry_after: every value of the header.
        refused: it is the router's refusal, or a bare 500 made from one.
        absent: the release has no such route.
        asked: a provider was asked.
    """

    status: int
    retry_after: tuple[str, ...] = ()
    refused: bool = False
    absent: bool = False
    asked: bool = False

    @property
    def carries(self) -> bool:
        """Whether it is a 429 with exactly one valid ``Retry-After``."""
        seconds = [parse_delay_seconds(value) for value in self.retry_after]
        return self.status == 429 and len(seconds) == 1 and seconds[0] is not None


@dataclass(frozen=True)
class Comparison:
    """One kind of request, or one of the operator's groups, without and with the patch."""

    kind: str
    without: Told
    with_patch: Told

    @property
    def judged(self) -> bool:
        """Whether the router refused, so that the answer should carry the header."""
        return self.without.refused or self.with_patch.refused

    @property
    def good(self) -> bool:
        return not self.judged or self.with_patch.carries

    @property
    def why_not_judged(self) -> str:
        """Why it is not a refusal, or "" if it is one."""
        told = self.with_patch
        if self.judged:
            return ""
        if told.absent:
            return "not in this release"
        if not told.status:
            return "its group did not cool down"
        if told.asked:
            return "asks the provider, not routed to a group"
        if told.status >= 500:
            return "LiteLLM's own failure, not a refusal"
        return "not a refusal"


def compare(own: OwnSettings, program: str) -> tuple[Comparison, ...]:
    """Run the proxy's program without and with the patch, in parallel, and compare the answers.

    Raises:
        ProxyDidNotStart, DidNotCool: for the openai group; other groups may be left out.
    """

    def ask_all(launch: Sequence[str]) -> dict[str, Told]:
        with ExitStack() as stack:
            stand_in = stack.enter_context(running_stand_in())
            stand_in.refusals.update({"*": Refuse(), _FAILING: _BAD_REQUEST})
            start = running_proxy(
                _configuration(own, stand_in.url),
                launch=launch,
                program=[program],
                # Or it would hide the waits that are too long for clients.
                environment={MAX_WAIT: "none"},
            )
            return _Side(stack.enter_context(start), stand_in).ask_all(own)

    with ThreadPoolExecutor(2) as pool:
        without, with_patch = pool.map(ask_all, ([], LAUNCH_WITH_PATCH))
    return tuple(Comparison(name, told, with_patch[name]) for name, told in without.items())


def _configuration(own: OwnSettings, url: str) -> dict[str, Any]:
    """The operator's settings and groups, and beside them the groups of the laboratory."""
    router = {"cooldown_time": _COOLDOWN, **own.sections.get("router_settings", {})}
    router["fallbacks"] = [*router.get("fallbacks", ()), {_FAILING: [_FALLBACK]}]
    sections = {**own.sections, "router_settings": router}
    for name, settings in ROUTE_ALL.items():
        sections[name] = {**own.sections.get(name, {}), **settings}
    models = model_list(url) + group(_FAILING, url, [_FAILING])
    models += group(_FALLBACK, url, [f"{_FALLBACK}-a", f"{_FALLBACK}-b"])
    models += [entry for each in own.groups for entry in each.entries(url)]
    return config(models, **sections)


class _Side:
    """One of the two proxies, in front of a stand-in of its own that refuses everything."""

    def __init__(self, proxy: Proxy, stand_in: StandIn) -> None:
        self._proxy, self._stand_in = proxy, stand_in
        self._cannot_cool: set[str] = set()

    def ask_all(self, own: OwnSettings) -> dict[str, Told]:
        """Ask every kind of endpoint, and by chat the first of the operator's own groups."""
        cool_down(self._proxy, group_of(CHAT.provider), attempts=_FAILURES)
        told = {each.name: self._told(each) for each in ENDPOINTS}
        told[WITH_FALLBACK] = self._told_by_chat(_FAILING, cooling=_FALLBACK)
        for name in own.cooling[:GROUPS_AT_MOST]:
            told[f"group {name}"] = self._told_by_chat(name, cooling=name)
        return told

    def _told(self, endpoint: Endpoint) -> Told:
        """Ask while the group is cooling; cool it again where the cooldown was over meanwhile."""
        model = group_of(endpoint.provider)
        told = Told(0)
        for _ in range(_TRIES):
            cooled = self._cool(model, cooled_by(endpoint.provider))
            calls, logged = len(self._stand_in.seen), self._proxy.log.stat().st_size
            try:
                answer = ask(self._proxy, endpoint, model)
            except OSError:
                break
            absent = endpoint.is_absent(answer.status, answer.body)
            if not cooled and not absent:
                break
            asked = len(self._stand_in.seen) > calls
            refused = not asked and (says_so(answer) or self._escaped(answer, logged))
            retry_after = tuple(answer.all("retry-after"))
            told = Told(answer.status, retry_after, refused, absent, asked)
            if not asked:
                break
        return told

    def _told_by_chat(self, model: str, cooling: str) -> Told:
        """Fallbacks may be asked meanwhile; the answer is LiteLLM's refusal all the same."""
        if not self._cool(cooling, CHAT):
            return Told(0)
        answer = ask(self._proxy, CHAT, model)
        return Told(answer.status, tuple(answer.all("retry-after")), refused=says_so(answer))

    def _cool(self, model: str, endpoint: Endpoint) -> bool:
        """Whether the group is cooling now."""
        if model not in self._cannot_cool:
            try:
                cool_down(self._proxy, model, endpoint, attempts=_FAILURES)
                return True
            except (DidNotCool, OSError):
                self._cannot_cool.add(model)
        return False

    def _escaped(self, answer: Response, logged: int) -> bool:
        """Whether a 500 is the router's refusal, which nothing in the proxy has caught.

        The body does not say so, but the server's log does.
        """
        until = time.monotonic() + _LOGGED_WITHIN
        while answer.status == 500 and time.monotonic() < until:
            news = self._proxy.log.read_bytes()[logged:]
            _, uncaught, trace = news.partition(b"Exception in ASGI application")
            if uncaught and NO_DEPLOYMENTS.encode() in trace:
                return True
            time.sleep(0.05)
        return False
