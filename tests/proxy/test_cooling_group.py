"""What a client of a real proxy gets while every deployment of a model group is cooling."""

from __future__ import annotations

import json

import pytest
from conftest import WITH, WITHOUT

from litellm_patch.tools.lab.client import call, chat
from litellm_patch.tools.lab.cooling import ask, cool_down
from litellm_patch.tools.lab.endpoints import ENDPOINTS

# Whole seconds of a cooldown of 5 s, asked right after its start or, on a busy machine, later.
TOLD = ("5", "4", "3", "2", "1")


@pytest.mark.needs_patch
def test_chat_tells_the_cooldown(proxy, refusing):
    refusing("chat")
    cool_down(proxy, "chat")
    assert chat(proxy, "chat").retry_after in TOLD


@pytest.mark.needs_patch
def test_streamed_chat_tells_the_cooldown(proxy, refusing):
    refusing("chat-stream")
    cool_down(proxy, "chat-stream")
    answer = chat(proxy, "chat-stream", stream=True)
    assert answer.status == 429
    assert answer.retry_after in TOLD


@pytest.mark.needs_patch
def test_embeddings_tell_the_cooldown(proxy, refusing):
    refusing("embeddings")
    cool_down(proxy, "embeddings")
    body = json.dumps({"model": "embeddings", "input": "x"}).encode()
    answer = call(proxy.url, "/v1/embeddings", body, proxy.headers)
    assert answer.status == 429
    assert answer.retry_after in TOLD


def test_a_healthy_group_gets_no_header(proxy):
    answer = chat(proxy, "healthy")
    assert answer.status == 200
    assert answer.retry_after is None


@pytest.mark.parametrize("kind", ["chat", "completions", "messages-openai"])
def test_a_providers_own_429_is_left_as_litellm_sends_it(proxy_on, refusing, kind):
    (endpoint,) = (each for each in ENDPOINTS if each.name == kind)
    group = f"provider-429-{kind}"
    refusing(group, headers={"retry-after": "7"})
    before = ask(proxy_on(WITHOUT), endpoint, group)
    if kind == "messages-openai" and before.status != 429:
        pytest.skip("this release does not tell that such a provider refused")
    after = ask(proxy_on(WITH), endpoint, group)
    assert before.status == after.status == 429
    assert before.retry_after is None
    assert after.retry_after is None
