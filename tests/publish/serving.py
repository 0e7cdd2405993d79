"""A proxy, or an app, that is started by a command that was read from a text."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox import outside

from litellm_patch.tools.lab.client import Response, call
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import MASTER_KEY, Proxy, config, group

MODEL = "M"  # what the README calls a model


def write_config(path: Path, provider_url: str) -> None:
    """A proxy's configuration in the form that its operator has."""
    entries = group(MODEL, provider_url, ["a", "b"])
    settings = config(entries, router_settings={"cooldown_time": 60})
    path.write_text(json.dumps(settings))


@contextmanager
def serving(
    command: Sequence[str] | str, port: int, *, cwd: Path, environment: Mapping[str, str]
) -> Iterator[Proxy]:
    """Run a command (a string is for the shell) until it answers on `port`, and to the end."""
    log = cwd / f"served-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            shell=isinstance(command, str),
            cwd=cwd,
            env={**outside(), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        proxy = Proxy(f"http://127.0.0.1:{port}", process, log)
        _wait(proxy)
        yield proxy
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def refusal(proxy: Proxy) -> Response:
    """The answer to a client while the model is cooling."""
    return cool_down(proxy, MODEL)


def assert_protected(proxy: Proxy) -> None:
    answer = refusal(proxy)
    assert answer.status == 429
    assert answer.retry_after is not None, proxy.log.read_text()[-2000:]
    assert 30 <= int(answer.retry_after) <= 63
    assert "Retry-After active on litellm" in proxy.log.read_text()


def _wait(proxy: Proxy) -> None:
    started = time.monotonic()
    while time.monotonic() - started < 120:
        assert proxy.process.poll() is None, proxy.log.read_text()[-3000:]
        try:
            call(proxy.url, "/health/liveliness", None, {"authorization": f"Bearer {MASTER_KEY}"})
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no answer\n{proxy.log.read_text()[-3000:]}")
