"""What a client is told when one of LiteLLM's own limits refuses, other than a cooldown."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import LAUNCH, WITH, WITHOUT

from litellm_patch.lab.client import call
from litellm_patch.lab.cooling import ask, cool_down
from litellm_patch.lab.endpoints import ENDPOINTS
from litellm_patch.lab.proxy import config, group, running_proxy
from litellm_patch.lab.stand_in import Refuse, running_stand_in

KIND = {endpoint.name: endpoint for endpoint in ENDPOINTS}
BY_MODEL = {
    "usage-based": {"routing_strategy": "usage-based-routing-v2"},
    "pre-call-checks": {"enable_pre_call_checks": True},
    "enforced": {"optional_pre_call_checks": ["enforce_model_rate_limits"]},
}
ROUTER_FILES = ("router.py", "router_python_core.py")


def why_not(how: str) -> str | None:
    """Why the installed release cannot refuse in this way, or None where it can."""
    home = Path(find_spec("litellm").origin).parent
    if how == "pre-call-checks":
        sources = [home / name for name in ROUTER_FILES if (home / name).exists()]
        if not any("raise RouterRateLimitErrorBasic" in each.read_text() for each in sources):
            return "this release's checks before a call do not look at rpm"
    if how == "enforced":
        check = home / "router_utils" / "pre_call_checks" / "model_rate_limit_check.py"
        if not check.exists():
            return "this release cannot enforce rpm for every routing strategy"
    return None


def ways() -> list:
    """`BY_MODEL` as parameters; what a release cannot do is skipped with the reason."""
    reasons = {how: why_not(how) for how in BY_MODEL}
    return [
        pytest.param(how, marks=[pytest.mark.skip(reason)] if reason else [])
        for how, reason in reasons.items()
    ]


# LiteLLM asks it who a key belongs to; what the key is called decides its limits. It takes the
# place of the database that LiteLLM keeps keys in.
AUTH = """
from litellm.proxy._types import UserAPIKeyAuth

async def auth(request, api_key):
    key = api_key.replace("Bearer ", "")
    limits = {
        "rpm": {"rpm_limit": 1},
        "team": {"team_id": "t", "team_rpm_limit": 0},
        "user": {"user_id": "u", "user_rpm_limit": 0},
        "parallel": {"max_parallel_requests": 0},
    }
    return UserAPIKeyAuth(api_key=key, **limits.get(key.split("-")[1], {}))
"""


@pytest.fixture(scope="module")
def limited():
    """A stand-in and a function that gives the proxy of a side with a kind of limits."""
    running = {}
    with ExitStack() as stack:
        stand_in = stack.enter_context(running_stand_in())
        groups = [
            entry
            for name in ("a", "b", "c", "d")
            for entry in group(f"rpm-{name}", stand_in.url, [f"rpm-{name}"], rpm=1)
        ]
        free = group("free", stand_in.url, ["free"])
        by_key = {"custom_auth": "limits_auth.auth"}
        configurations = {
            **{how: config(groups, router_settings=set_) for how, set_ in BY_MODEL.items()},
            "keys": config(free, general_settings=by_key),
        }

        def get(side, how):
            if (side, how) not in running:
                started = running_proxy(
                    configurations[how], launch=LAUNCH[side], files={"limits_auth.py": AUTH}
                )
                running[side, how] = stack.enter_context(started)
            return running[side, how]

        yield get


def use_up(proxy, kind, model):
    """Ask until the group's one request a minute is used up; the answer that refuses."""
    for _ in range(6):  # a minute may end between two requests
        answer = ask(proxy, KIND["chat"], model)
        if answer.status == 429:
            return ask(proxy, kind, model)
    raise AssertionError(f"{model} is not limited: {answer.status} {answer.body[:200]!r}")


def is_end_of_minute(seconds: int) -> bool:
    left = 60 - time.time() % 60
    return min(abs(seconds - left), 60 - abs(seconds - left)) < 5


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("how", ways())
@pytest.mark.parametrize("kind, model", [("chat", "rpm-a"), ("chat-stream", "rpm-b")])
def test_a_models_limit_tells_the_end_of_its_minute(limited, side, how, kind, model):
    answer = use_up(limited(side, how), KIND[kind], model)
    assert answer.status == 429
    assert answer.retry_after is not None
    assert is_end_of_minute(int(answer.retry_after))


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("kind", ["messages-openai", "speech"])
def test_other_endpoints_tell_it_too(limited, side, kind):
    answer = use_up(limited(side, "usage-based"), KIND[kind], "rpm-c")
    assert answer.status == 429
    assert answer.retry_after is not None
    assert is_end_of_minute(int(answer.retry_after))


def test_a_client_that_waits_as_told_is_served(limited):
    proxy = limited(WITH, "usage-based")
    answer = use_up(proxy, KIND["chat"], "rpm-d")
    time.sleep(int(answer.retry_after))
    assert ask(proxy, KIND["chat"], "rpm-d").status == 200


def ask_with_key(proxy, kind, key):
    path, body, headers = KIND[kind].request("free")
    for _ in range(2):  # the first request of a key with rpm_limit 1 is served
        answer = call(
            proxy.url, path, body, {**headers, "authorization": f"Bearer sk-{key}-{kind}"}
        )
        if answer.status == 429:
            break
    return answer


@pytest.mark.parametrize("limit", ["rpm", "team", "user", "parallel"])
@pytest.mark.parametrize("kind", ["chat", "chat-stream", "embeddings"])
def test_a_keys_limit_tells_whole_seconds(limited, limit, kind):
    # LiteLLM cannot know when a parallel request ends. It counts them by the window, so that
    # its own number is the time after which it admits again whatever happens.
    answer = ask_with_key(limited(WITH, "keys"), kind, limit)
    assert answer.status == 429
    assert 1 <= int(answer.retry_after) <= 60
    assert answer.retry_after.isdigit()


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("limit", ["team", "user", "parallel"])
@pytest.mark.parametrize("kind", ["completions", "images", "moderations", "messages-openai"])
def test_endpoints_that_drop_a_keys_wait_have_it_again(limited, side, limit, kind):
    answer = ask_with_key(limited(side, "keys"), kind, limit)
    assert answer.status == 429
    assert 1 <= int(answer.retry_after or -1) <= 60


def test_a_keys_limit_changes_nothing_but_the_header(limited):
    stock = ask_with_key(limited(WITHOUT, "keys"), "completions", "parallel")
    patched = ask_with_key(limited(WITH, "keys"), "completions", "parallel")
    assert stock.status == patched.status == 429
    assert len(stock.body) == len(patched.body)  # a time of the day is in it


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("status", [400, 500])
def test_an_own_failure_with_a_cooling_fallback_tells_the_fallbacks_wait(side, status):
    with running_stand_in() as stand_in, cooling_fallback(stand_in, side) as proxy:
        stand_in.refusals.update({"x-a": Refuse(status=status), "x-b": Refuse(status=status)})
        answers = [ask(proxy, KIND[kind], "x") for kind in ("chat", "messages-openai")]
    assert [answer.status for answer in answers] == [429, 429]
    assert b"the stand-in provider refuses" in answers[0].body
    assert [told(answer) for answer in answers] == [True, True]


def test_of_several_cooling_groups_the_first_that_returns_is_told():
    with running_stand_in() as stand_in, cooling_fallback(stand_in, WITH) as proxy:
        stand_in.refusals.update({"x-a": Refuse(), "x-b": Refuse()})
        cool_down(proxy, "x")
        fallback, both = (ask(proxy, KIND["chat"], model) for model in ("y", "x"))
    assert (fallback.status, both.status) == (429, 429)
    # The fallback cools for less time where a release knows a time per deployment.
    assert abs(int(fallback.retry_after) - int(both.retry_after)) <= 3


def told(answer) -> bool:
    return answer.retry_after is not None and 1 <= int(answer.retry_after) <= 300


@contextmanager
def cooling_fallback(stand_in, side):
    """A proxy with a group ``x`` whose fallback ``y`` is cooling."""
    stand_in.refusals.update({"y-a": Refuse(), "y-b": Refuse()})
    x = group("x", stand_in.url, ["x-a", "x-b"], cooldown_time=300)
    y = group("y", stand_in.url, ["y-a", "y-b"], cooldown_time=100)
    router = {"cooldown_time": 200, "fallbacks": [{"x": ["y"]}]}
    with running_proxy(config(x + y, router_settings=router), launch=LAUNCH[side]) as proxy:
        cool_down(proxy, "y")
        yield proxy
