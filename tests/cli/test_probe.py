"""``litellm-patch probe``: it says what a client gets, and when it proves nothing."""

from __future__ import annotations

import json

import pytest
from conftest import WITH, WITHOUT

from litellm_patch.cli.main import main
from litellm_patch.cli.probe import _judge
from litellm_patch.lab.client import Response
from litellm_patch.lab.cooling import cool_down
from litellm_patch.lab.proxy import MASTER_KEY, free_port


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


@pytest.mark.parametrize(
    "headers, status",
    [((), 3), ((("x-should-retry", "false"),), 0), ((("retry-after", "3600"),), 0)],
)
def test_of_a_cooldown_that_no_client_waits_for_there_is_nothing_to_be_told(headers, status):
    body = b'{"error": {"message": "No deployments available, Try again in 3600 seconds."}}'
    assert _judge(Response(429, "", headers, body))[0] == status


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
    assert status == 1
    assert "cret" not in shown


@pytest.mark.parametrize(
    "url", ["http://u:hunter2@127.0.0.1:1", "ftp://x", "127.0.0.1:4000", "http://", "http://h:x/"]
)
def test_a_url_that_cannot_be_asked_is_told_without_it(probe, url):
    status, shown = probe(url)
    assert status == 1
    assert "cannot be" in shown
    assert "hunter2" not in shown
    assert "Traceback" not in shown
