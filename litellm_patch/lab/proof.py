"""Ask every kind of endpoint of two real proxies, with and without the patch, while cooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Callable

from ..wait.delay_seconds import parse_delay_seconds
from ..wait.exception_chain import NO_DEPLOYMENTS
from .client import Response
from .cooling import CHAT, DidNotCool, ask, cool_down
from .endpoints import ENDPOINTS, Endpoint
from .proxy import Proxy, config, group, running_proxy
from .stand_in import Refuse, StandIn, running_stand_in

_PATH_OF = {
    "openai": "/v1",
    "gemini": "/v1beta",
    "mistral": "/v1",
}  # what a provider's base URL ends with
_COOLED_BY = {"cohere": "rerank"}  # a provider without chat
_TRIES = 3


@dataclass(frozen=True)
class Told:
    """What one proxy answered to one kind of request.

    Attributes:
        status: of the answer; 0 where the kind could not be asked.
        retry_after: every value of the header.
        refused: the router refused; no provider was asked.
        absent: the release has no such route.
    """

    status: int
    retry_after: tuple[str, ...] = ()
    refused: bool = False
    absent: bool = False

    @property
    def carries(self) -> bool:
        """Whether it is a 429 with exactly one valid ``Retry-After``."""
        valid = [value for value in self.retry_after if parse_delay_seconds(value) is not None]
        return self.status == 429 and len(self.retry_after) == len(valid) == 1


@dataclass(frozen=True)
class Comparison:
    """One kind of request, without and with the patch."""

    kind: str
    without: Told
    with_patch: Told

    @property
    def judged(self) -> bool:
        """Whether it is a refusal of the router's, which should carry the header."""
        return self.without.refused or self.with_patch.refused

    @property
    def good(self) -> bool:
        return not self.judged or self.with_patch.carries


def compare(
    settings: Mapping[str, Mapping[str, Any]],
    launches: Sequence[Sequence[str]],
    waiting: Callable[[float], None],
    cooldown: float,
) -> tuple[Comparison, ...]:
    """Run the proxies that are launched in the two ways, in parallel, and compare them.

    Args:
        settings: sections of a configuration to be used beside the model list.
        launches: what to put in front of the proxy's command, without and with the patch.
        waiting: called now and then with the seconds since the start.
        cooldown: seconds, where `settings` says nothing.

    Raises:
        ProxyDidNotStart, DidNotCool: for the openai group; other groups may be left out.
    """
    with ThreadPoolExecutor(2) as pool:
        sides = [pool.submit(_ask_all, settings, way, waiting, cooldown) for way in launches]
        without, with_patch = (side.result() for side in sides)
    return tuple(
        Comparison(each.name, without[each.name], with_patch[each.name]) for each in ENDPOINTS
    )


def _ask_all(
    settings: Mapping[str, Mapping[str, Any]],
    launch: Sequence[str],
    waiting: Callable[[float], None],
    cooldown: float,
) -> dict[str, Told]:
    with ExitStack() as stack:
        stand_in = stack.enter_context(running_stand_in())
        stand_in.refusals["*"] = Refuse()
        sections = {
            "litellm_settings": {"enable_loadbalancing_on_batch_endpoints": True},
            **settings,
            "router_settings": {"cooldown_time": cooldown, **settings.get("router_settings", {})},
        }
        configuration = config(_model_list(stand_in), **sections)
        proxy = stack.enter_context(running_proxy(configuration, launch=launch, waiting=waiting))
        cool_down(proxy, _group_of(CHAT))
        return {endpoint.name: _told(proxy, stand_in, endpoint) for endpoint in ENDPOINTS}


def _model_list(stand_in: StandIn) -> list[Any]:
    return [
        entry
        for provider in dict.fromkeys(endpoint.provider for endpoint in ENDPOINTS)
        for entry in group(
            f"{provider}-group",
            stand_in.url,
            [f"{provider}-a", f"{provider}-b"],
            provider=provider,
            path=_PATH_OF.get(provider, ""),
        )
    ]


def _group_of(endpoint: Endpoint) -> str:
    return f"{endpoint.provider}-group"


def _told(proxy: Proxy, stand_in: StandIn, endpoint: Endpoint) -> Told:
    """Ask while the group is cooling; cool it again where the cooldown was over meanwhile."""
    model = _group_of(endpoint)
    answer, asked = None, True
    for _ in range(_TRIES):
        try:
            _cool(proxy, endpoint, model)
            calls = len(stand_in.seen)
            answer = ask(proxy, endpoint, model)
        except (DidNotCool, OSError):
            break
        asked = len(stand_in.seen) > calls
        if not asked:
            break
    if answer is None:
        return Told(0)
    return Told(
        status=answer.status,
        retry_after=tuple(answer.all("retry-after")),
        refused=not asked and NO_DEPLOYMENTS.encode() in answer.body,
        absent=endpoint.is_absent(answer.status, answer.body),
    )


def _cool(proxy: Proxy, endpoint: Endpoint, model: str) -> Response:
    name = _COOLED_BY.get(endpoint.provider, CHAT.name)
    return cool_down(proxy, model, next(each for each in ENDPOINTS if each.name == name))
