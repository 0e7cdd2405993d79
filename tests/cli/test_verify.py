"""``litellm-patch verify``: real proxies, and a verdict that can also be a bad one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from litellm_patch.cli import verify
from litellm_patch.cli.main import main
from litellm_patch.lab.endpoints import ENDPOINTS
from litellm_patch.lab.own_settings import CannotRead, read_settings

SECRETS = ("sk-topsecret", "hunter2", "redis.internal")
OWN = """
model_list:
  - model_name: mine
    litellm_params: {model: openai/gpt-4o, api_key: sk-topsecret, api_base: https://redis.internal}
router_settings:
  cooldown_time: 33
  routing_strategy: simple-shuffle
  redis_host: redis.internal
  redis_password: hunter2
  fallbacks: [{mine: [other]}]
general_settings:
  master_key: sk-topsecret
  database_url: postgresql://u:hunter2@redis.internal/db
  max_parallel_requests: 50
litellm_settings:
  success_callback: [langfuse]
"""


def test_it_is_good_here_with_the_operators_own_settings(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(OWN)
    done = subprocess.run(
        [sys.executable, "-m", "litellm_patch", "verify", "--json", "--config", str(file)],
        capture_output=True,
        text=True,
        timeout=280,
    )
    found = json.loads(done.stdout)
    assert (done.returncode, found["good"]) == (0, True), done.stdout + done.stderr
    kinds = {kind["kind"]: kind for kind in found["kinds"]}
    assert list(kinds) == [endpoint.name for endpoint in ENDPOINTS]
    assert kinds["chat"]["judged"]
    (told,) = kinds["chat"]["with"]["retry_after"]
    assert 0 < int(told) <= 33
    assert found["left_out"] == [
        "router_settings.redis_host",
        "router_settings.redis_password",
        "router_settings.fallbacks",
        "general_settings.master_key",
        "general_settings.database_url",
    ]
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]


def test_it_is_not_good_where_the_patch_is_not_on(monkeypatch, capsys):
    monkeypatch.setattr(verify, "LAUNCHES", ([], []))
    assert main(["verify"]) == 1
    shown = capsys.readouterr()
    assert "MISSING" in shown.out
    assert "verdict: NOT good" in shown.out
    assert "without and with" in shown.err  # progress


@pytest.mark.parametrize(
    "content, words",
    [
        ("router_settings: [sk-topsecret", "is no YAML"),
        ("- sk-topsecret", "is no mapping"),
        ("router_settings: sk-topsecret", "router_settings in"),
        ("\x00sk-topsecret", "is no YAML"),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_without_its_content(tmp_path, capsys, content, words):
    file = tmp_path / "config.yaml"
    if content is not None:
        file.write_text(content)
    assert main(["verify", "--config", str(file)]) == 1
    shown = capsys.readouterr()
    assert words in shown.err
    assert "sk-topsecret" not in shown.out + shown.err


def test_a_proxy_that_does_not_start_is_told(monkeypatch, capsys):
    monkeypatch.setattr(verify, "LAUNCHES", ([sys.executable, "-c", "raise SystemExit(5)"],) * 2)
    assert main(["verify", "--json"]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["good"] is False
    assert "it ended with 5" in shown.err


@pytest.mark.parametrize(
    "line, kept",
    [
        ("allowed_fails: 3", True),
        ("retry_policy: {RateLimitErrorRetries: 2}", True),
        ("timeout: os.environ/T", False),
        ("anything: http://10.0.0.1/x", False),
        ("API_KEY: x", False),
        ("nested: {deep: {password: x}}", False),
        ("list: [1]", False),
    ],
)
def test_only_plain_settings_are_taken(tmp_path, line, kept):
    file = tmp_path / "config.yaml"
    file.write_text(f"router_settings:\n  {line}\n")
    assert bool(read_settings(file).sections["router_settings"]) is kept


def test_an_empty_file_is_no_mapping(tmp_path):
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(CannotRead):
        read_settings(tmp_path / "empty.yaml")
