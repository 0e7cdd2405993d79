"""``litellm-patch probe``: it says what a client gets, and when it proves nothing."""

from __future__ import annotations

import json

import pytest
from conftest import WITH, WITHOUT

from litellm_patch.tools.cli.main import main
from litellm_patch.tools.cli.probe import _judge
from litellm_patch.tools.lab.client import Response
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import MASTER_KEY, config, free_port, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in


@pytest.fixture
def probe(monkeypatch, capsys):
    """Run the subcommand; returns its exit status and all that it printed."""

    def run(url, *arguments, key=MASTER_KEY, model="chat"):
        monkeypatch.setenv("PROBE_KEY", key)
        status = main(["probe", url, "--model", model, "--key-env", "PROBE_KEY", *arguments])
        shown = capsys.readouterr()
        assert key not in shown.out + shown.err
        return status, shown.out + shown.err

    return run


def test_a_cooling_model_with_the_patch_is_good(proxy_on, refusing, probe):
    refusing("chat")
    cool_down(proxy_on(WITH), "chat")
    status, shown = probe(proxy_on(WITH).url)
    assert status == 0, shown
    assert "HTTP 429" in shown
    assert "retry-after: " in shown


def test_a_cooling_model_without_the_patch_is_not(proxy_on, refusing, probe):
    # No header of LiteLLM's own there on native releases either.
    kind = "completions"
    refusing("chat")
    cool_down(proxy_on(WITHOUT), "chat")
    status, shown = probe(proxy_on(WITHOUT).url, "--kind", kind)
    assert status == 1, shown
    assert "retry-after: (none)" in shown
    assert "NOT told" in shown


def test_a_model_that_is_not_cooling_proves_nothing(proxy_on, probe):
    status, shown = probe(proxy_on(WITH).url, model="healthy")
    assert status == 3
    assert "was not cooling" in shown


def test_a_providers_429_proves_nothing(proxy_on, refusing, probe):
    refusing("provider-429")
    status, shown = probe(proxy_on(WITH).url, "--json", model="provider-429")
    assert status == 3
    assert "not a cooldown" in json.loads(shown)["verdict"]


def test_a_wrong_key_proves_nothing_and_is_not_printed(proxy_on, probe):
    status, shown = probe(proxy_on(WITH).url, key="sk-wrong-but-secret")
    assert status == 3, shown
    assert "nothing is proven" in shown


@pytest.mark.parametrize("key", ["sk-secret\nx: y", "sk-s\u00e4cret\u20ac"])
def test_a_key_that_is_no_header_is_not_printed(probe, key):
    status, shown = probe(f"http://127.0.0.1:{free_port()}", key=key)
    assert status == 2
    assert "PROBE_KEY holds is no key" in shown
    assert "cret" not in shown


CHAINED = "litellm.RateLimitError: RateLimitError: OpenAIException - No deployments available for x"
OURS = "No deployments available for selected model, Try again in 9 seconds."
LONG = "No deployments available for selected model, Try again in 3600 seconds."
FALLBACK = f"litellm.BadRequestError: no. Error doing the fallback: {OURS}"
FAILED = "litellm.RateLimitError: OpenAIException - no\n\nLiteLLM: model group 'm' failed with"
SINCE_1_109 = f"{FAILED} the error above. Fallback to x also failed: {OURS}"


@pytest.mark.parametrize(
    "message, headers, status, words",
    [
        (OURS, {"retry-after": "9"}, 0, "is told when"),
        (OURS, {}, 1, "NOT told"),
        (OURS, {"retry-after": "1.5"}, 1, "not one whole number"),
        (OURS, {"llm_provider-retry-after": "9"}, 1, "NOT told"),
        (OURS, {"llm_provider-x-litellm-version": "1"}, 3, "cannot tell whether"),
        (FALLBACK, {"retry-after": "9"}, 0, "is told when"),
        (FALLBACK, {}, 1, "NOT told"),
        (SINCE_1_109, {"llm_provider-date": "x", "retry-after": "9"}, 0, "is told when"),
        (SINCE_1_109, {"llm_provider-date": "x"}, 1, "NOT told"),
        (f"litellm.APIError: OpenAIException - {SINCE_1_109}", {}, 3, "cannot tell whether"),
        (CHAINED, {}, 3, "itself a LiteLLM"),
        (CHAINED, {"retry-after": "9"}, 3, "itself a LiteLLM"),
        (f'AnthropicException - b\'{{"message": "{OURS}', {}, 3, "itself a LiteLLM"),
        (f"something else: {OURS}", {}, 3, "cannot tell whether"),
        (None, {}, 3, "cannot tell whether"),
        # A cooldown that no client waits for.
        (LONG, {}, 3, "longer than clients wait"),
        (LONG, {"x-should-retry": "false"}, 0, "told not to retry"),
        (LONG, {"retry-after": "3600"}, 0, "is told when"),
    ],
)
def test_the_verdict_depends_on_whose_refusal_it_is(message, headers, status, words):
    body = b"No deployments available" if message is None else None
    body = body or json.dumps({"error": {"message": message, "code": "429"}}).encode()
    judged, verdict = _judge(Response(429, "", tuple(headers.items()), body))
    assert (judged, words in verdict) == (status, True), verdict


FORWARDED = ("chat", "chat-stream", "completions", "embeddings", "images", "responses", "messages")


@pytest.mark.parametrize("kind", FORWARDED)
def test_the_refusal_of_a_litellm_behind_this_one_proves_nothing(chain, probe, kind):
    """Two real proxies: the first asks the second, whose group is cooling."""
    first, second = chain
    status, shown = probe(second.url, "--kind", kind, model="cooling")
    if "HTTP 404" in shown:
        pytest.skip("not in this release")
    assert "the model is cooling" in shown, shown  # it knows its own refusal
    status, shown = probe(first.url, "--kind", kind, model="behind")
    assert status == 3, shown
    assert "nothing is proven" in shown
    assert "HTTP 429" in shown


@pytest.fixture(scope="module")
def chain():
    """The first of two proxies in a row, and the second."""
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        cooling = group("cooling", stand_in.url, ["a", "b"], cooldown_time=300)
        # For less the first proxy's client would wait, as it is told, and ask again.
        settings = {"router_settings": {"cooldown_time": 300}}
        with running_proxy(config(cooling, **settings)) as second:
            cool_down(second, "cooling")
            params = {"model": "openai/cooling", "api_base": f"{second.url}/v1"}
            params["api_key"] = MASTER_KEY
            behind = [{"model_name": "behind", "litellm_params": params}]
            # Else it would cool its own deployment, and refuse by itself from then on.
            never = {"router_settings": {"disable_cooldowns": True}}
            with running_proxy(config(behind, **never)) as first:
                yield first, second
