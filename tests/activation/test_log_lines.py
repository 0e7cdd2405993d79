"""Our lines in the log: where the host's go, as the host's look, each once."""

from __future__ import annotations

import json

import pytest
from fake_litellm import OWN_TABLE

from litellm_patch.tools.lab.proxy import config, group, running_proxy

LITELLMS_LOGGING = (
    "import logging\n"
    "handler = logging.StreamHandler()\n"
    "handler.setFormatter(logging.Formatter('litellm| %(levelname)s %(name)s %(message)s'))\n"
    "logging.getLogger('LiteLLM Proxy').addHandler(handler)\n"
)
SAY = "from litellm_patch.log import once\nonce(logging.WARNING, 'second')\n"
START = OWN_TABLE + "import logging, logging.config\nimport litellm.proxy.proxy_server\n"
PROOF = "litellm_patch 0.1.0: Retry-After active on litellm"


def said(done) -> list[str]:
    return [line for line in done.stderr.splitlines() if PROOF in line or "second" in line]


@pytest.fixture
def tree(fake_litellm):
    fake_litellm.write("litellm/__init__.py", LITELLMS_LOGGING)
    return fake_litellm


def test_they_look_as_litellms_lines_do(tree):
    proof, second = said(tree.run(START + SAY))
    assert proof.startswith(f"litellm| INFO litellm_patch {PROOF}")
    assert second == "litellm| WARNING litellm_patch second"


def test_where_nobody_configured_anything_they_are_on_stderr(fake_litellm):
    proof, second = said(fake_litellm.run(START + SAY))
    assert proof.startswith(f"INFO:     {PROOF}")
    assert second == "WARNING:     second"


CONFIGURED = {
    "basicConfig": "logging.basicConfig(level=logging.INFO, format='root| %(message)s')\n",
    "dictConfig": "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': True,\n"
    "    'formatters': {'f': {'format': 'root| %(message)s'}},\n"
    "    'handlers': {'h': {'class': 'logging.StreamHandler', 'formatter': 'f'}},\n"
    "    'root': {'level': 'INFO', 'handlers': ['h']}})\n",
}


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("way", CONFIGURED)
def test_a_configuration_of_the_hosts_is_used_from_then_on_and_nothing_is_said_twice(
    tree, way, before
):
    parts = [CONFIGURED[way], START] if before else [START, CONFIGURED[way]]
    lines = said(tree.run("import logging, logging.config\n" + "".join(parts) + SAY))
    assert [line.partition("|")[0] for line in lines] == ["root" if before else "litellm", "root"]


LEVELS = {
    "root": "logging.getLogger().setLevel(logging.ERROR)\n",
    "ours": "logging.getLogger('litellm_patch').setLevel(logging.ERROR)\n",
    "all": "logging.disable(logging.ERROR)\n",
    "LITELLM_LOG": "import os; os.environ['LITELLM_LOG'] = 'error'\n",
    "filter": "logging.getLogger('litellm_patch').addFilter(lambda record: False)\n",
}


@pytest.mark.parametrize("level", LEVELS)
def test_an_operators_level_is_kept_to(tree, level):
    assert said(tree.run("import logging\n" + LEVELS[level] + START + SAY)) == []


def test_a_handler_of_the_operators_on_our_logger_is_the_only_one(tree):
    program = "import logging, sys\nours = logging.getLogger('litellm_patch')\n" + (
        "ours.addHandler(logging.StreamHandler(sys.stdout))\n"
    )
    done = tree.run(program + START + SAY)
    assert (len(done.stdout.splitlines()), said(done)) == (2, [])


@pytest.mark.parametrize("served", [True, False])
def test_litellms_command_may_still_turn_to_json_when_it_reads_its_file(tree, served):
    """So our lines wait until it serves; where it does not, warnings are said at the end."""
    tree.write("uvicorn/lifespan/on.py", "")
    program = "import sys; sys.argv = ['/bin/litellm', '--config', 'c.yaml']\n" + START
    program += "logging.getLogger('LiteLLM Proxy').handlers[0].setFormatter(\n"
    program += "    logging.Formatter('json| %(message)s'))\n"
    program += "print('started', file=sys.stderr)\n" + SAY
    program += "import uvicorn.lifespan.on\n" * served + "print('served', file=sys.stderr)\n"
    lines = tree.run(program).stderr.splitlines()
    assert [line[:6] for line in lines] == (
        ["starte", "json| ", "json| ", "served"] if served else ["starte", "served", "json| "]
    )


@pytest.mark.parametrize(
    "settings, environment",
    [({}, {}), ({"json_logs": True}, {}), ({}, {"JSON_LOGS": "True"})],
    ids=["plain", "json_logs", "JSON_LOGS"],
)
def test_a_real_proxys_log(settings, environment):
    from conftest import LAUNCH, WITH

    model_list = group("m", "http://127.0.0.1:9", ["m-a", "m-b"])
    configuration = config(model_list, litellm_settings=settings)
    with running_proxy(configuration, launch=LAUNCH[WITH], environment=environment) as proxy:
        lines = proxy.log.read_text().splitlines()
    (line,) = [line for line in lines if PROOF in line]
    if settings or environment:
        assert json.loads(line)["level"] == "INFO"
        assert json.loads(line)["message"].startswith(PROOF)
    else:
        assert " - litellm_patch:INFO" in line
