"""Several processes of one proxy, however made: one queue, and nothing shared by accident."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from asking import Process, cache_of
from conftest import PATIENT_UVICORN
from polling import until
from redis_server import Redis
from servers import Server, needs_redis, running_server

import litellm_patch
from litellm_patch.bootstrap import LAUNCH_WITH_PATCH
from litellm_patch.tools.lab.client import chat
from litellm_patch.tools.lab.proxy import ProxyDidNotStart, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

pytestmark = needs_redis

ROOT = Path(litellm_patch.__file__).parents[1]
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
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.stdout.split() == ["1"], done.stderr


COMMANDS = {
    # The number of workers that must be asked. With uvicorn's supervisor (seen with 0.22) the
    # second one may get no connection at all.
    "litellm, two workers": (1, None, ["--num_workers", "2"]),
    "litellm, gunicorn": (2, None, ["--run_gunicorn", "--num_workers", "2"]),
    "gunicorn --preload": (2, [sys.executable, "-c", PRELOADED], []),
}


WITNESSED = """
import os
from litellm_patch.seams.record import redis_questions, shared_queue
redis_questions.PATIENCE = redis_questions.SAVED = 20.0
ask = shared_queue._place
def place(*arguments):
    told = ask(*arguments)
    open(os.path.join(os.environ["ASKED"], str(os.getpid())), "w").close()
    return told
shared_queue._place = place
"""
"""Workers that leave a file when Redis has given them a place. They wait for it longer than is
shipped, so that they use the one queue on a busy machine, too."""


@pytest.mark.parametrize("command", COMMANDS)
def test_the_workers_of_a_proxy_have_one_queue(server, tmp_path, command):
    workers, program, arguments = COMMANDS[command]
    (asked := tmp_path / "asked").mkdir()
    (tmp_path / "sitecustomize.py").write_text(PATIENT_UVICORN + WITNESSED)
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        models = group("m", stand_in.url, ["m-a", "m-b"], cooldown_time=100)
        shared = {"redis_host": "127.0.0.1", "redis_port": server.port, "cooldown_time": 100}
        environment = {
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
            "ASKED": str(asked),
            "LITELLM_PATCH_PACING": str(RATE),
            "LITELLM_PATCH_MAX_WAIT": "none",
        }
        start = running_proxy(
            config(models, router_settings=shared),
            launch=LAUNCH_WITH_PATCH,
            program=program,
            environment=environment,
            arguments=arguments,
        )
        try:
            with start as proxy, ThreadPoolExecutor(8) as clients:

                def refused_by_all() -> int:
                    """How many clients were told a wait, until all workers have asked Redis."""
                    told, deadline = 0, time.monotonic() + 90
                    try:
                        while len(files := [*asked.iterdir()]) < workers:
                            assert time.monotonic() < deadline, "a worker does not ask Redis"
                            for file in files:  # it may accept all connections
                                os.kill(int(file.name), signal.SIGSTOP)
                            answers = clients.map(lambda _: chat(proxy, "m"), range(8))
                            told += sum(bool(answer.all("retry-after-ms")) for answer in answers)
                        return told
                    finally:
                        for file in asked.iterdir():
                            with suppress(ProcessLookupError):
                                os.kill(int(file.name), signal.SIGCONT)
                            file.unlink()

                refused_by_all()  # the first clients of a worker may be too early for its Redis
                before = queue_of(server)
                told = refused_by_all()
                places, seconds = (now - then for now, then in zip(queue_of(server), before))
        except ProxyDidNotStart as error:
            if "No such option" in str(error) or "not installed" in str(error):
                pytest.skip(f"this LiteLLM has no {command}")
            raise
    assert places == told
    assert seconds == pytest.approx(places / RATE, abs=0.1)


def queue_of(server: Server) -> tuple[int, float]:
    """How many places the only queue has given, and its last one, in seconds."""
    (key,) = server.ask("keys", "*queue*").split()
    return Redis(server.port).calls()["evalsha"], float(server.ask("hget", key, "last_place"))
