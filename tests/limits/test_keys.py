"""What a client is told when its key, user, team, customer or model may not ask more often."""

from __future__ import annotations

import time
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import LAUNCH, WITH, WITHOUT
from running import KIND, shared, tells_end_of_minute, told

from litellm_patch.tools.lab.client import Response, call
from litellm_patch.tools.lab.proxy import Proxy, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import running_stand_in

WINDOW = 12  # seconds
HOOKS = Path(find_spec("litellm").origin).parent / "proxy" / "hooks"
DYNAMIC = [
    # The newer one first: it lets pass what the older one refuses, a group whose rpm is 0.
    name
    for name in ("dynamic_rate_limiter_v3", "dynamic_rate_limiter")
    if (HOOKS / f"{name}.py").exists()
]

# Else the limiter that counts by the minute is the usual one.
HAS_WINDOWS = "LEGACY_MULTI_INSTANCE_RATE_LIMITING" in (HOOKS / "__init__.py").read_text()

# LiteLLM asks it who a key belongs to; what the key is called decides its limits. It takes the
# place of the database that LiteLLM keeps keys in.
AUTH = """
import litellm
from litellm.proxy._types import UserAPIKeyAuth

async def auth(request, api_key):
    key = api_key.replace("Bearer ", "")
    limits = {
        "rpm": {"rpm_limit": 1},
        "tpm": {"tpm_limit": 1},
        "team": {"team_id": "t", "team_rpm_limit": 0},
        "user": {"user_id": "u", "user_rpm_limit": 0},
        "customer": {"end_user_id": "c", "end_user_rpm_limit": 0},
        "model": {"metadata": {"model_rpm_limit": {"free": 1}}},
        "parallel": {"max_parallel_requests": 0},
        "spent": {"user_id": "spender", "user_max_budget": 1.0, "user_spend": 2.0},
    }
    if "spent-" in key:
        from litellm.proxy.proxy_server import user_api_key_cache
        spender = {"max_budget": 1.0, "spend": 2.0}
        await user_api_key_cache.async_set_cache("spender_user_api_key_user_id", spender)
    if "spent_by_key-" in key:  # as LiteLLM's own check of a key in its database does
        raise litellm.BudgetExceededError(current_cost=2.0, max_budget=1.0)
    return UserAPIKeyAuth(api_key=key, **limits.get(key.split("-")[1], {}))
"""


@shared
def proxy_of(stack: ExitStack, side: str, limits: str) -> Proxy:
    """Give the proxy of a side, whose limits are ``by key`` or ``globally``."""
    url = stack.enter_context(running_stand_in()).url
    own = {"custom_auth": "limits_auth.auth"}
    models = group("free", url, ["free"])
    # The batch limiter reads the batch's file from the provider.
    environment = {"OPENAI_API_KEY": "not-a-key", "OPENAI_BASE_URL": f"{url}/v1"}
    environment["LITELLM_RATE_LIMIT_WINDOW_SIZE"] = str(WINDOW)
    callbacks = {}
    if limits == "by key":
        callbacks = {"callbacks": list(DYNAMIC)}
        models += group("dynamic", url, ["dynamic"], rpm=0)
        models += group("dynamic-v3", url, ["dynamic-v3"], rpm=1)
    else:
        # Only LiteLLM's older limiter, which is still there, knows a limit for all keys.
        environment = {"LEGACY_MULTI_INSTANCE_RATE_LIMITING": "true"}
        own["global_max_parallel_requests"] = 1
    configuration = config(models, general_settings=own, litellm_settings=callbacks)
    return stack.enter_context(
        running_proxy(
            configuration,
            launch=LAUNCH[side],
            files={"limits_auth.py": AUTH},
            environment=environment,
        )
    )


def ask_with_key(proxy: Proxy, kind: str, key: str, model: str = "free") -> Response:
    """Ask until it is refused; a key with a limit of 1 is served before, and booked behind it."""
    path, body, headers = KIND[kind].request(model)
    headers = {**headers, "authorization": f"Bearer sk-{key}-{kind}"}
    for _ in range(10):
        answer = call(proxy.url, path, body, headers)
        if answer.status == 429:
            break
        time.sleep(0.3)
    return answer


NEWER = "parallel_request_limiter_v3.py"
LIMITS = ["rpm", "tpm", "team", "user", "customer", "model", "parallel"]


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("kind", ["chat", "chat-stream", "embeddings"])
def test_a_keys_limit_tells_whole_seconds(proxy_of, limit, kind):
    # LiteLLM cannot know when a parallel request ends. It counts them by the window, so that
    # its own number is the time after which it admits again whatever happens.
    if kind != "chat" and limit in ("tpm", "model") and not (HOOKS / NEWER).exists():
        pytest.skip("this release books this limit for chat alone")
    assert told(ask_with_key(proxy_of(WITH, "by key"), kind, limit))


@pytest.mark.needs_patch(native=True)
@pytest.mark.skipif(not HAS_WINDOWS, reason="this release's usual limiter has no windows")
@pytest.mark.parametrize("kind", ["chat", "completions"])
def test_a_key_is_told_the_rest_of_its_window_and_is_served_behind_it(proxy_of, side, kind):
    proxy = proxy_of(side, "by key")
    key = "rpm-unused"  # its window begins with its first request
    assert ask_with_key(proxy, kind, key).status == 429
    time.sleep(4)
    answer = ask_with_key(proxy, kind, key)
    answered = time.monotonic()
    assert told(answer, WINDOW - 3)
    time.sleep(max(0.0, answered + int(answer.retry_after) - time.monotonic()))
    path, body, headers = KIND[kind].request("free")
    headers = {**headers, "authorization": f"Bearer sk-{key}-{kind}"}
    # The stand-in has no text completions: that it says so shows that it was asked.
    assert call(proxy.url, path, body, headers).status == {"chat": 200, "completions": 404}[kind]


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("limit", ["team", "user", "customer", "parallel"])
@pytest.mark.parametrize("kind", ["completions", "images", "moderations", "messages-openai"])
def test_endpoints_that_drop_a_keys_wait_have_it_again(proxy_of, side, limit, kind):
    assert told(ask_with_key(proxy_of(side, "by key"), kind, limit))


@pytest.mark.needs_patch(native=True)
def test_a_limit_for_all_keys_together_tells_whole_seconds(proxy_of, side):
    assert told(ask_with_key(proxy_of(side, "globally"), "chat", "any"))


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("kind", ["chat", "completions", "messages-openai"])
def test_the_dynamic_limiter_tells_the_end_of_its_minute(proxy_of, side, kind):
    answer = ask_with_key(proxy_of(side, "by key"), kind, "any", "dynamic")
    assert tells_end_of_minute(answer)


@pytest.mark.needs_patch(native=True)
@pytest.mark.skipif("dynamic_rate_limiter_v3" not in DYNAMIC, reason="this release has no such")
@pytest.mark.parametrize("kind", ["completions", "messages-openai"])
def test_the_newer_dynamic_limiters_wait_is_there_where_an_endpoint_drops_it(proxy_of, side, kind):
    assert told(ask_with_key(proxy_of(side, "by key"), kind, "any", "dynamic-v3"))


@pytest.mark.needs_patch(native=True)
@pytest.mark.skipif(
    not (HOOKS / "batch_rate_limiter.py").exists(), reason="this release counts no batch"
)
def test_a_batch_with_more_requests_than_the_key_has_left_is_told_the_wait(proxy_of, side):
    answer = ask_with_key(proxy_of(side, "by key"), "batches", "rpm")
    assert b"Batch rate limit exceeded" in answer.body
    assert told(answer)


def test_a_keys_limit_changes_nothing_but_the_header(proxy_of):
    stock = ask_with_key(proxy_of(WITHOUT, "by key"), "completions", "parallel")
    patched = ask_with_key(proxy_of(WITH, "by key"), "completions", "parallel")
    assert stock.status == patched.status == 429
    assert len(stock.body) == len(patched.body)  # a time of the day is in it


@pytest.mark.parametrize("kind", ["chat", "messages-openai"])
@pytest.mark.parametrize("budget", ["spent", "spent_by_key"])
def test_a_spent_budget_of_a_user_or_key_is_answered_as_without_the_patch(proxy_of, budget, kind):
    # LiteLLM's refusal knows what was spent, and nothing of when that is forgotten.
    stock, patched = (
        ask_with_key(proxy_of(side, "by key"), kind, budget) for side in (WITHOUT, WITH)
    )
    if stock.status == 200:
        pytest.skip("this release looks at a user's budget in its database alone")
    assert stock.status == patched.status
    # A key's was 400 before it was 429, and is 422 in the newest releases.
    assert stock.status in ((400, 422, 429) if budget == "spent_by_key" else (429,))
    assert stock.body == patched.body
    assert stock.retry_after is patched.retry_after is None
