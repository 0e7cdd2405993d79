"""A real redis-server that can be disturbed in the ways in which servers are."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis_server
from asking import KEY
from polling import until
from redis_server import Redis

from litellm_patch.tools.lab.proxy import free_port

needs_redis = pytest.mark.skipif(
    bool(redis_server.missing()), reason=f"this machine has no {', '.join(redis_server.missing())}"
)


class Server:
    """A server on 127.0.0.1 that keeps its port and its folder from one start to the next."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        self.port = free_port()
        self._options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        self._options += ["--save", "", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["redis-server", *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(lambda: self._process.poll() is not None or self._answers(), within=20)
        if self._process.poll() is not None:
            raise OSError("redis-server does not start")

    def stop(self) -> None:
        if self._process is not None:
            self.go_on()
            self._process.kill()
            self._process.wait(timeout=20)
            self._process = None

    def hang(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def ask(self, *words: str) -> str:
        return Redis(self.port).ask(*words)

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            return self.ask("ping") == "PONG"
        except subprocess.CalledProcessError:
            return False


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """One that has the cooldown which is asked for."""
    server = Server(folder)
    server.start()
    try:
        server.ask("set", KEY, "{}", "px", "60000")
        yield server
    finally:
        server.stop()
