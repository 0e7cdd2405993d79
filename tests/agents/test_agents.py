"""Beside other agents that patch LiteLLM or its server, whoever comes first: see OUTCOMES.md.

Real proxies; the agents report to nobody. Needs the agents: tox environment ``…-agents``.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import EXACT

from litellm_patch.bootstrap import FOLDER, LAUNCH_WITH_PATCH
from litellm_patch.tools.lab.client import call, chat
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import config, console_script, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

SILENT = {
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "ELASTIC_APM_SERVER_URL": "http://127.0.0.1:9",
    "ELASTIC_APM_DISABLE_SEND": "true",
    "ELASTIC_APM_CENTRAL_CONFIG": "false",
    "ELASTIC_APM_CLOUD_PROVIDER": "none",
    "NEW_RELIC_DEVELOPER_MODE": "true",
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
}


@dataclass(frozen=True)
class Agent:
    """Its module, and an expression that is true in a process that it has instrumented."""

    module: str
    is_on: str


OPENTELEMETRY = Agent(
    "opentelemetry.instrumentation.auto_instrumentation",
    "'sdk' in type(__import__('opentelemetry.trace').trace.get_tracer_provider()).__module__",
)
AGENTS = {
    "Elastic APM": Agent(
        "elasticapm",
        "hasattr(__import__('httpx').Client.send, '__wrapped__')",
    ),
    "New Relic": Agent("newrelic", "__import__('newrelic.config').config._configuration_done"),
    "ddtrace": Agent("ddtrace", "getattr(__import__('fastapi'), '_datadog_patch', False)"),
    "OpenTelemetry": OPENTELEMETRY,
    "OpenTelemetry operator": OPENTELEMETRY,
    "Sentry": Agent("sentry_sdk", "__import__('sentry_sdk').is_initialized()"),
    "OpenInference": Agent(
        "openinference.instrumentation.litellm",
        "__import__('openinference.instrumentation.litellm', fromlist=['x'])"
        ".LiteLLMInstrumentor().is_instrumented_by_opentelemetry",
    ),
}
STATEMENTS = {
    "import litellm_patch": "import litellm_patch\n",
    "sentry_sdk.init": "import sentry_sdk\nsentry_sdk.init(dsn=None, traces_sample_rate=1.0)\n",
    "LiteLLMInstrumentor().instrument": (
        "from openinference.instrumentation.litellm import LiteLLMInstrumentor\n"
        "LiteLLMInstrumentor().instrument()\n"
    ),
}
TABLE = Path(__file__).with_name("OUTCOMES.md")
LOOK = """
import os
from litellm.integrations.custom_logger import CustomLogger
handler = CustomLogger()
with open(os.environ["OUTCOME"], "w") as file:
    file.write(str(bool({is_on})))
"""


def rows() -> list[list[str]]:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def words_of(command: str) -> tuple[list[str], dict[str, str]]:
    """A command of the table without its last word, ``litellm``, and its environment."""
    launch: list[str] = []
    environment = {}
    folders = {"OURS": FOLDER, "OPERATOR": operators_folder()}
    words = shlex.split(command.replace("litellm-patch run --", "litellm-patch"))[:-1]
    for word in words:
        name, _, value = word.partition("=")
        if word == "litellm-patch":
            launch += LAUNCH_WITH_PATCH
        elif name == "PYTHONPATH":
            path = [folders[entry] for entry in value.split(":")]
            environment[name] = os.pathsep.join([*path, str(Path(FOLDER).parents[1])])
        else:
            launch += console_script(word) if word.endswith(("-run", "-admin", "ment")) else [word]
    return launch, environment


def operators_folder() -> str:
    found = importlib.util.find_spec(OPENTELEMETRY.module)
    assert found is not None and found.origin is not None
    return str(Path(found.origin).parent)


def started(order: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """What to put in front of the proxy's command, and into its environment."""
    code = re.findall(r"`([^`]*)`", order)
    if code[0] not in STATEMENTS and code[-1] not in STATEMENTS:
        return words_of(code[0])
    program = folder / "program.py"
    # The console script that follows becomes argv[1]; drop it.
    program.write_text(
        "import sys\ndel sys.argv[1]\n"
        + "".join(STATEMENTS[each] for each in code)
        + "from litellm.proxy.proxy_cli import run_server\nrun_server()\n"
    )
    return [LAUNCH_WITH_PATCH[0], str(program)], {}


def is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def word(outcome: bool) -> str:
    return "yes" if outcome else "**no**"


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]}: {row[1].replace('`', '')}")
def test_the_outcome_is_the_tables(row, tmp_path):
    name, order, *expected = row
    agent = AGENTS[name]
    if not is_installed(agent.module):
        pytest.skip(f"{name} is not installed")
    launch, environment = started(order, tmp_path)
    with running_stand_in() as stand_in:
        stand_in.refusals.update({"bad-a": Refuse(), "bad-b": Refuse()})
        groups = group("good", stand_in.url, ["good-a", "good-b"])
        groups += group("bad", stand_in.url, ["bad-a", "bad-b"], cooldown_time=120)
        start = running_proxy(
            config(groups, litellm_settings={"callbacks": "look.handler"}),
            launch=launch,
            environment={**SILENT, **EXACT, **environment, "OUTCOME": str(tmp_path / "on")},
            files={"look.py": LOOK.format(is_on=agent.is_on)},
        )
        with start as proxy:
            served = chat(proxy, "good")
            cool_down(proxy, "bad")
            refused = chat(proxy, "bad")
            speech = b'{"model": "bad", "input": "x", "voice": "alloy"}'
            escaped = call(proxy.url, "/v1/audio/speech", speech, proxy.headers)
            log = proxy.log.read_text()
    told = [a.status == 429 and 0 < int(a.retry_after or 0) <= 120 for a in (refused, escaped)]
    is_on = (tmp_path / "on").read_text() == "True"
    outcome = [word(is_on), word(all(told)), word(served.status == 200)]
    assert outcome == expected, log[-4000:]
    assert log.count("Retry-After active on litellm") == all(told), log[-4000:]
    assert any(told) == all(told)
    assert "skipped" not in log
