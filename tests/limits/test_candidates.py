"""The wait is that of the deployments that a request could have had, by whatever name it asked.

Each group's deployments cool down for different times, since the stand-in refuses each with a
``Retry-After`` of its own, which LiteLLM takes as the cooldown. Without the patch, LiteLLM tells
nothing (from 1.90.0 on the configured time of what it finds by name).
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Callable

import pytest
from conftest import EXACT, LAUNCH, WITH, litellm_has
from running import shared

from litellm_patch.tools.lab.client import Response, call
from litellm_patch.tools.lab.proxy import MASTER_KEY, Proxy, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, StandIn, running_stand_in
from litellm_patch.wait.litellm_errors import NO_DEPLOYMENTS

# Stands for the database that LiteLLM keeps teams and keys in.
AUTH = """
from litellm.proxy._types import UserAPIKeyAuth

async def auth(request, api_key):
    key = api_key.replace("Bearer ", "")
    if key == "team-key":
        return UserAPIKeyAuth(api_key=key, team_id="t1")
    if key == "eu-key":
        return UserAPIKeyAuth(api_key=key, allowed_model_region="eu")
    return UserAPIKeyAuth(api_key=key, metadata={"allow_client_tags": True})
"""

SLOW, FAST = 90, 30
"""Seconds of cooldown. Far apart, and long enough for a slow machine."""

REFUSED = b'{"error":{"message":"' + NO_DEPLOYMENTS.encode()
"""How the answer begins if the group itself was refused, not only its fallback."""

COOLS = {"slow": SLOW, "fast": FAST}

HAS_TEAMS = litellm_has("team_public_model_name", "router.py") or litellm_has(
    "team_public_model_name", "router_python_core.py"
)
HAS_PAUSED = litellm_has("_filter_blocked_deployments", "router.py") and not any(
    litellm_has("Model is blocked", file) for file in ("router.py", "proxy/route_llm_request.py")
)


@dataclass(frozen=True)
class Ask:
    """A request: its model, the seconds that it must be told, its key and its metadata."""

    model: str
    seconds: int
    key: str = MASTER_KEY
    more: dict[str, Any] = field(default_factory=dict)

    def send(self, proxy: Proxy) -> Response:
        messages = [{"role": "user", "content": "one word"}]
        body = json.dumps({"model": self.model, "messages": messages, **self.more}).encode()
        headers = {**proxy.headers, "authorization": f"Bearer {self.key}"}
        return call(proxy.url, "/v1/chat/completions", body, headers)


def tagged(*tags: str) -> dict[str, Any]:
    return {"metadata": {"tags": list(tags)}}


ASKS = {
    "a fallback that returns first": Ask("slow-with-fallback", FAST),
    "a fallback that returns later": Ask("fast-with-fallback", FAST),
    "an alias": Ask("alias", FAST),
    "a provider's model name": Ask("openai/named-slow", SLOW),
    "the order of deployments": Ask("ordered", FAST),
    "one tag": Ask("tagged", SLOW, more=tagged("x")),
    "another tag": Ask("tagged", FAST, more=tagged("y")),
    "a region": Ask("regional", SLOW, key="eu-key"),
}
if HAS_TEAMS:
    ASKS["a team's public name"] = Ask("public", SLOW, key="team-key")

COOLED_BEFORE = {
    "a fallback that returns first": [Ask("fast", FAST)],
    "a fallback that returns later": [Ask("slow", SLOW)],
    "one tag": [Ask("tagged", FAST, more=tagged("y"))],
    "another tag": [Ask("tagged", SLOW, more=tagged("x"))],
}


def configuration(stand_in: StandIn) -> dict[str, Any]:
    def deployment(model: str, name: str, info: dict[str, Any] | None = None, **params: Any) -> Any:
        (entry,) = group(model, stand_in.url, [name], **params)
        entry["litellm_params"]["api_key"] = f"key-of-{name}"  # or an id may stand for two
        return {**entry, "model_info": info} if info else entry

    team = {"team_id": "t1", "team_public_model_name": "public"}
    models = [
        *(deployment("slow-with-fallback", f"chain-{i}-slow") for i in "ab"),
        *(deployment("fast", f"chain-{i}-fast") for i in "cd"),
        *(deployment("fast-with-fallback", f"chain-{i}-fast") for i in "ef"),
        *(deployment("slow", f"chain-{i}-slow") for i in "gh"),
        *(deployment("aliased", f"alias-{i}") for i in ("slow", "fast")),
        *(deployment(f"named-{i}", "named-slow", organization=i) for i in "ab"),
        *(deployment(f"named-{i}", "named-fast") for i in "ab"),
        deployment("ordered", "ordered-slow", order=1),
        deployment("ordered", "ordered-fast", order=2),
        *(deployment("tagged", f"tag-x-{i}-slow", tags=["x"]) for i in "ab"),
        *(deployment("tagged", f"tag-y-{i}-fast", tags=["y"]) for i in "ab"),
        *(deployment("regional", f"eu-{i}-slow", region_name="eu") for i in "ab"),
        *(deployment("regional", f"us-{i}-fast", region_name="us") for i in "ab"),
        *(deployment("us-only", f"us-only-{i}", region_name="us") for i in "ab"),
        *(deployment("paused", f"paused-{i}", {"blocked": True}) for i in "bc"),
    ]
    if HAS_TEAMS:
        models += [deployment(f"team-{i}", f"team-{i}-slow", dict(team)) for i in "ab"]
    router = {
        "cooldown_time": 5,
        "fallbacks": [{"slow-with-fallback": ["fast"]}, {"fast-with-fallback": ["slow"]}],
        "model_group_alias": {"alias": "aliased"},
        "enable_tag_filtering": True,
        "enable_pre_call_checks": True,
    }
    return config(models, router_settings=router, general_settings={"custom_auth": "own.auth"})


@shared
def proxy_on(stack: ExitStack, side: str) -> Proxy:
    stand_in = stack.enter_context(running_stand_in())
    stand_in.refusals["*"] = Refuse()
    settings = configuration(stand_in)
    for entry in settings["model_list"]:
        name = entry["litellm_params"]["model"].partition("/")[2]
        stand_in.refusals[name] = refuse(name)
    files = {"own.py": AUTH}
    return stack.enter_context(
        running_proxy(settings, launch=LAUNCH[side], environment=EXACT, files=files)
    )


@pytest.fixture
def asked(proxy_on: Callable[[str], Proxy]) -> Callable[[str, Ask], Response]:
    """Ask the proxy of a side until LiteLLM itself refuses."""

    def until_refused(side: str, ask: Ask) -> Response:
        for _ in range(20):  # LiteLLM picks deployments at random
            answer = ask.send(proxy_on(side))
            # With 401, other deployments of the group are healthy and lack the request's tag.
            if answer.body.startswith(REFUSED) or answer.status == 401:
                return answer
        raise AssertionError(f"still asks the provider: {answer.status} {answer.body[:300]!r}")

    return until_refused


def refuse(name: str) -> Refuse:
    seconds = COOLS.get(name.rpartition("-")[2], FAST)
    return Refuse(headers={"Retry-After": str(seconds)})


# There LiteLLM answers 401 also where all that have the tag are cooling.
if not litellm_has("tag_regex", "router_strategy/tag_based_routing.py"):
    del ASKS["one tag"], ASKS["another tag"]


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("name", ASKS)
def test_the_deployments_of_the_request_decide(asked, side, name):
    ask = ASKS[name]
    asked(side, ask)
    for other in COOLED_BEFORE.get(name, ()):
        asked(side, other)
    answer = asked(side, ask)
    assert answer.status == 429
    assert answer.retry_after is not None
    assert len(answer.all("retry-after-ms")) == 1
    # Some of it has passed since it began.
    told = int(answer.all("retry-after-ms")[0]) / 1000
    assert ask.seconds - 20 < told <= ask.seconds


NOTHING_COOLS = {
    "a group without a deployment in the region": Ask("us-only", 0, key="eu-key"),
    "a paused group": Ask("paused", 0),
}


@pytest.mark.parametrize("name", NOTHING_COOLS)
def test_no_wait_is_told_where_nothing_is_cooling(asked, name):
    if name == "a paused group" and not HAS_PAUSED:
        pytest.skip("this release has no paused deployments, or does not answer 429 for them")
    answer = asked(WITH, NOTHING_COOLS[name])
    assert answer.status == 429
    assert (answer.retry_after, answer.all("retry-after-ms")) == (None, [])
