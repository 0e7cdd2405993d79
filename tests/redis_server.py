"""Run a real Redis server on a free loopback port."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from litellm_patch.tools.lab.proxy import free_port

NEEDS = ("redis-server", "redis-cli")


def missing() -> list[str]:
    """The programs that this machine lacks for `running_redis` (Debian: redis-server)."""
    return [program for program in NEEDS if shutil.which(program) is None]


@dataclass(frozen=True)
class Redis:
    """A running server on 127.0.0.1."""

    port: int

    def ask(self, *words: str) -> str:
        """The answer of the server to a command, as redis-cli prints it."""
        command = ["redis-cli", "-h", "127.0.0.1", "-p", str(self.port), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def calls(self) -> dict[str, int]:
        """How often each command was called since the start."""
        found = {}
        for line in self.ask("info", "commandstats").splitlines():
            name, _, statistics = line.partition(":")
            if name.startswith("cmdstat_"):
                calls = dict(part.split("=") for part in statistics.split(","))["calls"]
                found[name[len("cmdstat_") :]] = int(calls)
        return found


@contextmanager
def running_redis() -> Iterator[Redis]:
    """Run a server that keeps nothing on disk for the length of a ``with`` block.

    Raises:
        OSError: it does not answer within 20 s.
    """
    server = Redis(free_port())
    with tempfile.TemporaryDirectory(prefix="litellm-patch-redis-") as folder:
        options = ["--port", str(server.port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        try:
            _wait(server)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(server: Redis) -> None:
    for _ in range(200):
        try:
            if server.ask("ping") == "PONG":
                return
        except subprocess.CalledProcessError:
            pass
        time.sleep(0.1)
    raise OSError("redis-server did not answer")
