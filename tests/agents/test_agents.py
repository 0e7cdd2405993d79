"""Beside other agents that patch LiteLLM or its server, whoever comes first.

Real proxies; the agents report to nobody. Needs the agents: tox environment ``…-agents``.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from conftest import EXACT

from litellm_patch.lab.client import call, chat
from litellm_patch.lab.cooling import cool_down
from litellm_patch.lab.proxy import config, console_script, group, running_proxy
from litellm_patch.lab.stand_in import Refuse, running_stand_in

SILENT = {
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
}
LAUNCHERS = {"ddtrace": "ddtrace-run", "opentelemetry": "opentelemetry-instrument"}
SET_UP = {
    "openinference": (
        "openinference.instrumentation.litellm",
        "from openinference.instrumentation.litellm import LiteLLMInstrumentor\n"
        "LiteLLMInstrumentor().instrument()\n",
    ),
    "sentry_sdk": (
        "sentry_sdk",
        "import sentry_sdk\nsentry_sdk.init(dsn=None, traces_sample_rate=1.0)\n",
    ),
}
RUN = "from litellm.proxy.proxy_cli import run_server\nrun_server()\n"


def launch(agent: str, ours_first: bool, folder) -> list[str]:
    """What to put in front of the proxy's command."""
    ours = [sys.executable, "-m", "litellm_patch", "run", "--"]
    if agent in LAUNCHERS:
        theirs = console_script(LAUNCHERS[agent])
        if agent == "opentelemetry":  # whose parser takes the proxy's --config for its own
            theirs.append("--")
        return [*ours, *theirs] if ours_first else [*theirs, *ours]
    lines = ["import litellm_patch\n", SET_UP[agent][1]]
    program = folder / "program.py"
    order = lines if ours_first else lines[::-1]
    # The console script that follows becomes argv[1]; drop it.
    program.write_text("import sys\ndel sys.argv[1]\n" + "".join(order) + RUN)
    return [sys.executable, str(program)]


def orders():
    for agent in (*LAUNCHERS, *SET_UP):
        yield pytest.param(agent, True, id=f"{agent}, we first")
        yield pytest.param(agent, False, id=f"{agent}, they first")


@pytest.mark.parametrize("agent, ours_first", list(orders()))
def test_the_header_is_there_and_a_request_is_served(agent, ours_first, tmp_path):
    module = SET_UP[agent][0].partition(".")[0] if agent in SET_UP else agent
    launcher = Path(sys.executable).parent / LAUNCHERS.get(agent, "python")
    if importlib.util.find_spec(module) is None or not launcher.exists():
        pytest.skip(f"{agent} is not installed")
    with running_stand_in() as stand_in:
        stand_in.refusals.update({"bad-a": Refuse(), "bad-b": Refuse()})
        groups = group("good", stand_in.url, ["good-a", "good-b"])
        groups += group("bad", stand_in.url, ["bad-a", "bad-b"], cooldown_time=120)
        start = running_proxy(
            config(groups),
            launch=launch(agent, ours_first, tmp_path),
            environment={**SILENT, **EXACT},
        )
        with start as proxy:
            served = chat(proxy, "good")
            cool_down(proxy, "bad")
            refused = chat(proxy, "bad")
            speech = b'{"model": "bad", "input": "x", "voice": "alloy"}'
            escaped = call(proxy.url, "/v1/audio/speech", speech, proxy.headers)
            log = proxy.log.read_text()
    assert served.status == 200
    for answer in (refused, escaped):
        assert answer.status == 429, log[-4000:]
        assert 0 < int(answer.retry_after) <= 120
    assert log.count("Retry-After active on litellm") == 1, log[-4000:]
    assert "skipped" not in log
