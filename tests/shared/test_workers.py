"""Several processes of one proxy, however made: one queue, and nothing shared by accident."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from asking import Process, cache_of, until
from conftest import PATIENT_UVICORN
from servers import running_server

import litellm_patch
from litellm_patch.bootstrap import LAUNCH_WITH_PATCH
from litellm_patch.tools.lab import redis as lab_redis
from litellm_patch.tools.lab.client import chat
from litellm_patch.tools.lab.proxy import (
    ProxyDidNotStart,
    config,
    group,
    running_proxy,
)
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

pytestmark = pytest.mark.skipif(
    bool(lab_redis.missing()), reason=f"this machine has no {', '.join(lab_redis.missing())}"
)

RATE = 2.0

PRELOADED = """
import os, sys, sysconfig
said = dict(zip(sys.argv[1::2], sys.argv[2::2]))
os.environ["CONFIG_FILE_PATH"] = said["--config"]
server = os.path.join(sysconfig.get_path("scripts"), "gunicorn")
bind = said["--host"] + ":" + said["--port"]
worker = ["-k", "uvicorn.workers.UvicornWorker", "-w", "2", "--preload", "-b", bind]
os.execv(server, [server, "litellm.proxy.proxy_server:app", *worker])
"""
"""LiteLLM's app in a server that loads it before it forks its workers."""


@pytest.fixture
def server(tmp_path):
    with running_server(tmp_path) as server:
        yield server


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX only")
def test_a_forked_child_has_a_thread_and_a_connection_of_its_own(server):
    process = Process(cache_of(server.port))
    first = until(process.place)
    parents = process.redis.redis_client.client_id()
    reads, writes = os.pipe()
    with process.queues.questions._lock:  # as another thread would hold it
        child = os.fork()
    if child == 0:
        try:
            told = until(process.place), until(process.seconds)
            told += (process.redis.redis_client.client_id(),)
            os.write(writes, json.dumps(told).encode())
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as answers:
        place, seconds, childs = json.loads(answers.read())
    os.waitpid(child, 0)
    assert place > first + 0.3  # in the same queue
    assert 0 < seconds <= 60
    assert childs != parents
    assert until(process.place) > place + 0.3


def test_importing_the_seams_starts_no_thread():
    program = (
        "import threading, litellm_patch.seams.table, litellm_patch.seams.answer.telling\n"
        "print(threading.active_count())"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(litellm_patch.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.stdout.split() == ["1"], done.stderr


COMMANDS = {
    "litellm, two workers": (None, ["--num_workers", "2"]),
    "litellm, gunicorn": (None, ["--run_gunicorn", "--num_workers", "2"]),
    "gunicorn --preload": ([sys.executable, "-c", PRELOADED], []),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_workers_of_a_proxy_have_one_queue(server, command, tmp_path):
    program, arguments = COMMANDS[command]
    (tmp_path / "sitecustomize.py").write_text(PATIENT_UVICORN)
    package = Path(litellm_patch.__file__).parent
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        models = group("m", stand_in.url, ["m-a", "m-b"], cooldown_time=100)
        shared = {"redis_host": "127.0.0.1", "redis_port": server.port, "cooldown_time": 100}
        environment = {
            "LITELLM_PATCH_PACING": str(RATE),
            "LITELLM_PATCH_MAX_WAIT": "none",
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(package.parent)]),
        }
        start = running_proxy(
            config(models, router_settings=shared),
            launch=LAUNCH_WITH_PATCH,
            program=program,
            environment=environment,
            arguments=arguments,
        )
        try:
            with start as proxy:
                places = told(proxy)
                clients = server.ask("client", "list").splitlines()
        except ProxyDidNotStart as error:
            if "No such option" in str(error) or "not installed" in str(error):
                pytest.skip(f"this LiteLLM has no {command}")
            raise
    # A worker that has to wait for a core gives places of its own, so that gaps say little here.
    # Chance decides how many of them were asked.
    assert any("cmd=evalsha" in client for client in clients), clients
    assert len(places) >= 10


def told(proxy) -> list[float]:
    """The moments at which refused clients are to return, in order."""
    places: list[float] = []
    deadline = time.monotonic() + 60
    while len(places) < 20 and time.monotonic() < deadline:
        answer = chat(proxy, "m")
        if b"No deployments available" in answer.body:
            places += [time.monotonic() + int(ms) / 1000 for ms in answer.all("retry-after-ms")]
    return sorted(places)[5:]  # the first of each worker may have been too early for its Redis
