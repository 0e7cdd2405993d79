"""Every way in which a proxy runs its workers: each worker has the patch on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import EXACT, PATIENT_UVICORN

from litellm_patch.bootstrap import FOLDER, LAUNCH_WITH_PATCH
from litellm_patch.tools.lab.client import chat
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import (
    ProxyDidNotStart,
    clean_environment,
    config,
    free_port,
    group,
    running_proxy,
)
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

SERVERS = {
    "uvicorn, two workers": ["--num_workers", "2"],
    "gunicorn, two workers": ["--run_gunicorn", "--num_workers", "2"],
    "hypercorn": ["--run_hypercorn"],
}
# Gunicorn loads the app once and forks it; its workers have what the master has.
ACTIVE = "Retry-After active on litellm"
SAID = {"uvicorn, two workers": 2, "gunicorn, two workers": 1, "hypercorn": 1}


def until_said(log: Path, times: int) -> str:
    """The log once so many workers have said that the patch is on; one may still be starting."""
    ends = time.monotonic() + 120
    while log.read_text().count(ACTIVE) < times and time.monotonic() < ends:
        time.sleep(0.2)
    return log.read_text()


@pytest.mark.parametrize("server", SERVERS)
def test_each_worker_tells_the_cooldown(server, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(PATIENT_UVICORN)
    path = os.pathsep.join([FOLDER, str(tmp_path)])
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        configuration = config(group("m", stand_in.url, ["m-a", "m-b"], cooldown_time=120))
        start = running_proxy(
            configuration, environment={"PYTHONPATH": path, **EXACT}, arguments=SERVERS[server]
        )
        try:
            with start as proxy:
                # Each worker cools on its own, and connections are shared out by chance.
                cool_down(proxy, "m")
                answers = [chat(proxy, "m") for _ in range(20)]
                log = until_said(proxy.log, SAID[server])
        except ProxyDidNotStart as error:
            if "No module named" in str(error) or "not installed" in str(error):
                pytest.skip(f"this LiteLLM does not bring {server.split(',')[0]}")
            if "No such option" in str(error):
                pytest.skip(f"this LiteLLM has no {server}")
            raise
    refused = [answer for answer in answers if b"No deployments available" in answer.body]
    assert len(refused) >= 10
    assert {answer.status for answer in answers} == {429}
    assert all(int(answer.retry_after) <= 120 for answer in refused)
    assert log.count(ACTIVE) >= SAID[server], log[-4000:]


APP = """
import json, os, sys
from litellm.types.router import RouterRateLimitError

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    patch = sys.modules.get("litellm_patch")  # importing it here would be the activation
    seams = {seam.name: seam.state for seam in patch.status().seams} if patch else {}
    body = json.dumps({"pid": os.getpid(), "seam": seams.get("refusal")}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""


def test_uvicorn_with_reload_has_it_in_each_child(tmp_path):
    """The child that serves is spawned afresh, first by the start and then by a touched file."""
    source = tmp_path / "own_app.py"
    source.write_text(APP)
    port = free_port()
    command = [*LAUNCH_WITH_PATCH, sys.executable, "-m", "uvicorn", "own_app:app", "--reload"]
    with subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=tmp_path,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as server:
        try:
            first = answer_of_a_child(port, other_than=None)
            source.write_text(APP + "# touched\n")
            second = answer_of_a_child(port, other_than=first["pid"])
        finally:
            os.killpg(server.pid, signal.SIGKILL)
    assert server.pid not in (first["pid"], second["pid"])
    assert (first["seam"], second["seam"]) == ("applied", "applied")


def answer_of_a_child(port: int, other_than: int | None) -> dict:
    for _ in range(600):
        time.sleep(0.1)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                told = json.load(answer)
        except OSError:
            continue
        if told["pid"] != other_than:
            return told
    raise AssertionError("no new child answers")
