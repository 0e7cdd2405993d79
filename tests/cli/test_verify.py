"""``litellm-patch verify``: real proxies, and a verdict that can also be a bad one."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from litellm_patch.tools.cli import verify
from litellm_patch.tools.cli.main import main
from litellm_patch.tools.lab.endpoints import ENDPOINTS
from litellm_patch.tools.lab.own_settings import (
    Deployment,
    OwnGroup,
    OwnSettings,
    own_groups,
    read_settings,
)
from litellm_patch.tools.lab.proof import WITH_FALLBACK, Comparison, Told
from litellm_patch.tools.lab.proxy import clean_environment

SECRETS = ("sk-topsecret", "hunter2", "AKIATOPSECRET", "secretproject", "os.environ/")
OWN = """
model_list:
  - model_name: gpt-4o
    litellm_params: {model: azure/eu, api_base: os.environ/AZURE, api_key: sk-topsecret, rpm: 600}
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: sk-topsecret, api_base: "http://OPERATOR/v1"}
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-4, api_key: sk-topsecret, weight: 2}
  - model_name: claude
    litellm_params: {model: bedrock/claude, aws_access_key_id: AKIATOPSECRET, cooldown_time: 20}
  - model_name: gemini
    litellm_params:
      {model: vertex_ai/gemini, vertex_project: secretproject, vertex_credentials: hunter2}
    model_info: {id: secretproject, base_model: gemini/x, team_id: t, access_groups: [hunter2]}
  - &one {model_name: of-a-team, litellm_params: {model: openai/x}, model_info: {team_id: t}}
  - *one
  - model_name: openai/*
    litellm_params: {model: openai/*, api_key: os.environ/OPENAI_API_KEY}
router_settings:
  cooldown_time: 33
  routing_strategy: usage-based-routing-v2
  enable_pre_call_checks: true
  allowed_fails: 3
  num_retries: 3
  redis_host: HOST
  redis_port: PORT
  redis_password: hunter2
  model_group_alias: {gpt-4: gpt-4o, gone: not-there}
  fallbacks: [{gpt-4o: [claude]}, {"*": [gemini]}, {claude: [not-there]}]
  default_fallbacks: [gemini]
general_settings:
  master_key: sk-topsecret
  database_url: postgresql://u:hunter2@OPERATOR/db
  completion_model: gpt-4o
  background_health_checks: true
  custom_auth: own_code.auth
  max_parallel_requests: 50
  proxy_salt: hunter2
  upstream_of_mine: HOST:PORT
litellm_settings:
  drop_params: true
  callbacks: own_code.handler
  success_callback: [langfuse]
  cache: true
  cache_params: {type: redis, host: HOST, port: PORT, password: hunter2}
environment_variables: {LANGFUSE_HOST: "http://OPERATOR", LANGFUSE_SECRET_KEY: sk-topsecret}
"""
LEFT_OUT = {
    "model_list": "openai/* litellm_params.api_base litellm_params.api_key "
    "litellm_params.aws_access_key_id litellm_params.vertex_project "
    "litellm_params.vertex_credentials model_info",
    "router_settings": "num_retries redis_host redis_port redis_password model_group_alias "
    "fallbacks default_fallbacks",
    "general_settings": "master_key database_url completion_model background_health_checks "
    "custom_auth proxy_salt upstream_of_mine",
    "litellm_settings": "callbacks success_callback cache cache_params",
}


@dataclass(frozen=True)
class Verified:
    """What a run of the command did: its output, and whom it asked and loaded meanwhile."""

    status: int
    stdout: str
    stderr: str
    asked_a_machine: bool
    loaded: bool

    @property
    def json(self) -> dict:
        return json.loads(self.stdout)


@pytest.fixture(scope="module")
def verified(tmp_path_factory) -> Verified:
    """The command with the operator's configuration and environment: two real proxies."""
    folder = tmp_path_factory.mktemp("own")
    loaded = folder / "loaded"
    (folder / "own_code.py").write_text(f"open({str(loaded)!r}, 'w').close()\n")
    with socket.create_server(("127.0.0.1", 0)) as machine:
        host, port = machine.getsockname()
        own = OWN.replace("OPERATOR", f"{host}:{port}").replace("HOST", host)
        (folder / "config.yaml").write_text(own.replace("PORT", str(port)))
        database = f"postgresql://u:hunter2@{host}:{port}/db"
        theirs = {"DATABASE_URL": database, "REDIS_HOST": host, "REDIS_PORT": str(port)}
        theirs["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [sys.executable, "-m", "litellm_patch", "verify", "--json", "--config", "config.yaml"],
            env={**os.environ, **theirs, "STORE_MODEL_IN_DB": "True", "NUM_WORKERS": "4"},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=280,
        )
        came, _, _ = select.select([machine], [], [], 0)  # who connects waits to be accepted
        return Verified(done.returncode, done.stdout, done.stderr, machine in came, loaded.exists())


def test_it_is_good_here_with_the_operators_own_configuration(verified):
    found = verified.json
    assert (verified.status, found["good"]) == (0, True), verified.stdout + verified.stderr
    kinds = {kind["kind"]: kind for kind in found["kinds"]}
    endpoints = [endpoint.name for endpoint in ENDPOINTS]
    groups = ["group gpt-4o", "group claude", "group of-a-team"]
    assert list(kinds) == [*endpoints, WITH_FALLBACK, *groups]
    assert kinds[WITH_FALLBACK]["judged"]
    for kind in ("chat", *groups):
        assert kinds[kind]["judged"]
        (told,) = kinds[kind]["with"]["retry_after"]
        assert 0 < int(told) <= 33 + 2  # the cooldown, and a place in the queue behind it
    assert kinds["speech"]["without"]["refused"]  # up to 1.99 it escapes as a bare 500
    assert found["never_cooling"] == ["gemini"]
    assert "without and with" in verified.stderr


def test_nothing_of_the_operators_is_contacted_loaded_or_printed(verified):
    left_out = [f"{part}.{name}" for part, names in LEFT_OUT.items() for name in names.split()]
    assert verified.json["left_out"] == [*left_out, "environment_variables"]
    assert not [secret for secret in SECRETS if secret in verified.stdout + verified.stderr]
    assert not verified.asked_a_machine
    assert not verified.loaded


def test_it_is_not_good_where_the_patch_is_not_on(verified, monkeypatch, capsys):
    """What the proxy without it answered, on both sides."""

    def told(kind):
        answer = kind["without"]
        return Told(answer["status"], tuple(answer["retry_after"]), answer["refused"])

    found = [Comparison(kind["kind"], told(kind), told(kind)) for kind in verified.json["kinds"]]
    monkeypatch.setattr(verify, "compare", lambda *arguments: tuple(found))
    assert main(["verify"]) == 1
    shown = capsys.readouterr().out
    rows = {line[:30].strip(): line for line in shown.splitlines()}
    assert rows["completions"].endswith("MISSING")
    assert rows["speech"].endswith("MISSING")
    assert "verdict: NOT good" in shown


@pytest.mark.parametrize(
    "content, status, words",
    [
        ("router_settings: [sk-topsecret", 2, "is no YAML"),
        ("- sk-topsecret", 2, "is no mapping"),
        ("", 2, "is empty"),
        ("router_settings: sk-topsecret", 2, "router_settings in"),
        ("\x00sk-topsecret", 2, "is no YAML"),
        (None, 2, "No such file"),
        ("router_settings: {disable_cooldowns: true}", 3, "no group is ever refused"),
    ],
)
def test_an_unusable_file_is_named_and_not_quoted(tmp_path, capsys, content, status, words):
    file = tmp_path / "config.yaml"
    if content is not None:
        file.write_text(content)
    assert main(["verify", "--config", str(file)]) == status
    shown = capsys.readouterr()
    assert words in shown.err
    assert "sk-topsecret" not in shown.out + shown.err


def test_it_starts_the_litellm_that_the_shell_would_start(tmp_path, monkeypatch, capsys):
    script = tmp_path / "litellm"
    script.write_text("#!/bin/sh\nexit 5\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert main(["verify", "--json"]) == 3
    shown = capsys.readouterr()
    assert json.loads(shown.out)["good"] is False
    assert f"two proxies of {script}" in shown.err
    assert "it ended with 5" in shown.err


@pytest.mark.parametrize(
    "line, kept",
    [
        ("allowed_fails: 3", True),
        ("allowed_fails_policy: {RateLimitErrorAllowedFails: 2}", True),
        ("optional_pre_call_checks: [router_budget_limiting]", True),
        ("routing_strategy: usage-based-routing-v2", True),
        ("provider_budget_config: {openai: {budget_limit: 1, time_period: 1d}}", True),
        ("routing_strategy: host:6379", False),
        ("cooldown_time: .nan", False),
        ("cooldown_time: os.environ/T", False),
        ("routing_strategy_args: {ttl: 60, salt: x}", False),
        ("provider_budget_config: {openai: {api_key: x}}", False),
        ("optional_pre_call_checks: [os.environ/T]", False),
        ("never_heard_of: 7", False),
        ("retry_policy: {RateLimitErrorRetries: 2}", False),
        ("completion_model: gpt-4o", False),
        ("timeout: os.environ/T", False),
    ],
)
def test_only_plain_settings_are_taken(tmp_path, line, kept):
    file = tmp_path / "config.yaml"
    file.write_text(f"router_settings:\n  {line}\n")
    assert bool(read_settings(file).sections["router_settings"]) is kept


def test_its_proxies_get_nothing_of_the_operators_environment(monkeypatch):
    """A proxy with a DATABASE_URL migrates that database."""
    theirs = ("DATABASE_URL", "DIRECT_URL", "REDIS_URL", "NUM_WORKERS", "OPENAI_API_KEY")
    for name in (*theirs, "LITELLM_MASTER_KEY", "LITELLM_CONFIG_BUCKET_NAME", "PYTHONPATH"):
        monkeypatch.setenv(name, "sk-topsecret")
    monkeypatch.setenv("LITELLM_PATCH", "off")
    monkeypatch.setenv("LITELLM_PATCH_PACING", "off")  # an option applies as in the real one
    given = clean_environment()
    assert "sk-topsecret" not in given.values()
    assert [name for name in given if name.startswith("LITELLM_PATCH")] == ["LITELLM_PATCH_PACING"]
    assert given["LITELLM_MODE"] == "PRODUCTION"  # or LiteLLM reads the same from a .env file


REFUSED = Told(429, ("7",), refused=True)


@pytest.mark.parametrize(
    "without, with_patch, words",
    [
        (Told(404, absent=True), Told(404, absent=True), "not in this release"),
        (Told(0), Told(0), "its group did not cool down"),
        (Told(429, asked=True), Told(429, asked=True), "not routed to a group"),
        (Told(500), Told(500), "LiteLLM's own failure"),
        (Told(400), Told(400), "not a refusal"),
        (Told(500, refused=True), REFUSED, ""),
        (Told(500, refused=True), Told(500, refused=True), ""),
        (REFUSED, Told(429, ("7", "7"), refused=True), ""),
        (REFUSED, Told(429, ("1.5",), refused=True), ""),
    ],
)
def test_an_answer_that_is_not_judged_has_a_reason(without, with_patch, words):
    compared = Comparison("kind", without, with_patch)
    assert words in compared.why_not_judged
    assert compared.judged is (not words)
    assert compared.good is (bool(words) or with_patch is REFUSED)


@pytest.mark.parametrize("model_list", [None, 7, "x", {}, [None], [{}], [{"model_name": 7}], [[1]]])
def test_a_malformed_model_list_has_no_groups(model_list):
    assert own_groups(model_list) == ((), [])


def test_groups_that_are_not_asked_are_named():
    two = (Deployment("openai"), Deployment("openai"))
    own = OwnSettings({}, (), tuple(OwnGroup(f"m{number}", two) for number in range(23)))
    (line,) = [line for line in verify._lines([], own, good=False) if "not asked" in line]
    assert line.strip() == "not asked, as so many others are: m20, m21, m22"


def test_only_routing_settings_of_a_deployment_are_taken():
    taken = {"rpm": 60, "order": 2, "tags": ["free", "eu"]}
    params = {"model": "azure/x", "api_key": "sk-topsecret", "api_base": "https://x", **taken}
    params |= {"tpm": "os.environ/TPM", "weight": True, "cooldown_time": float("nan")}
    params |= {"extra_headers": {"x": "y"}, "region_name": "http://x"}
    info = {"team_id": "t 1"}  # the lab's key is no key of that team
    model = {"model_name": "m", "litellm_params": params, "model_info": info}
    (group,), _ = own_groups([model])
    (entry,) = group.entries("http://stand-in")
    stand_in = {"model": "openai/own-0", "api_base": "http://stand-in/v1", "api_key": "not-a-key"}
    assert entry["litellm_params"] == {**stand_in, **taken}
    assert "model_info" not in entry


PACKAGE = Path(find_spec("litellm").origin).parent
SHIPPED = sorted((PACKAGE / "proxy" / "example_config_yaml").glob("*.yaml"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_no_address_is_taken_from_litellms_own_examples(file):
    own = read_settings(file)
    taken = json.dumps([own.sections, [group.entries("stand-in") for group in own.groups]])
    assert "os.environ/" not in taken
    assert "://" not in taken
