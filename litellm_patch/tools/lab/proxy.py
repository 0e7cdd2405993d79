"""Start and stop a real ``litellm`` proxy process on a free loopback port."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...bootstrap import FOLDER

MASTER_KEY = "sk-litellm-patch-lab-5e0c1f"
"""Not a secret: the proxies listen on loopback for a moment. Releases since 1.104.2 refuse
well-known keys such as ``sk-1234``."""

_HOME = os.path.dirname(os.path.dirname(FOLDER))
"""The folder, or the wheel, that litellm_patch is in."""

START_TIMEOUT = 180.0
"""Seconds. A proxy starts in 4 to 12 s on two idle cores."""

_PORTS = range(15_000, 32_000)

_KEPT = (
    "PATH HOME USER LOGNAME TMPDIR TEMP TMP LANG LANGUAGE TZ VIRTUAL_ENV LD_LIBRARY_PATH "
    "DYLD_LIBRARY_PATH SYSTEMROOT PYTHONHOME PYTHONDONTWRITEBYTECODE PYTHONUTF8"
).split()
_KEPT_PREFIXES = ("LC_", "LITELLM_PATCH_")


class ProxyDidNotStart(RuntimeError):
    """The proxy process ended, or did not answer in time; the text ends with its log."""


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its base URL, its process, and the file that its output goes to."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {MASTER_KEY}", "content-type": "application/json"}


def group(
    name: str,
    stand_in_url: str,
    deployments: Sequence[str],
    *,
    provider: str = "openai",
    path: str = "/v1",
    **params: Any,
) -> list[Any]:
    """Entries of ``model_list`` for a model group whose deployments are at the stand-in.

    Args:
        provider: LiteLLM's name for the deployments' API.
        path: the end of that API's base URL.
        params: more ``litellm_params``.
    """
    at_stand_in = {"api_base": stand_in_url + path, "api_key": "not-a-key", **params}
    return [
        {
            "model_name": name,
            "litellm_params": {"model": f"{provider}/{deployment}", **at_stand_in},
        }
        for deployment in deployments
    ]


def config(model_list: list[Any], **sections: Mapping[str, Any]) -> dict[str, Any]:
    """A proxy configuration in which one failure cools a deployment down and none is retried."""
    router = {"num_retries": 0, "allowed_fails": 0, **sections.pop("router_settings", {})}
    general = {"master_key": MASTER_KEY, **sections.pop("general_settings", {})}
    return {
        "model_list": model_list,
        "router_settings": router,
        "general_settings": general,
        **sections,
    }


def console_script(name: str = "litellm") -> list[str]:
    """The command that this interpreter's environment has for `name`."""
    beside = Path(sys.executable).parent / name
    return [str(beside)] if beside.exists() else [name]


def clean_environment() -> dict[str, str]:
    """Only those variables of this process that a Python process needs.

    A proxy that finds a ``DATABASE_URL`` migrates that database; other variables name a Redis, a
    configuration in a bucket, or a number of workers. ``LITELLM_MODE`` keeps it from reading
    them from a ``.env`` file.
    """
    environment = {
        key: value
        for key, value in os.environ.items()
        if key in _KEPT or key.startswith(_KEPT_PREFIXES)
    }
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if _HOME in map(os.path.abspath, filter(None, path)):
        # litellm_patch was copied, not installed, and the launcher must find it.
        environment["PYTHONPATH"] = _HOME
    return {
        **environment,
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "NO_PROXY": "127.0.0.1,localhost",
    }


@contextmanager
def running_proxy(
    configuration: Mapping[str, Any],
    *,
    launch: Sequence[str] = (),
    program: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
) -> Iterator[Proxy]:
    """Run a proxy for the length of a ``with`` block.

    Args:
        configuration: written as JSON, which YAML contains.
        launch: put in front of the proxy's command, for example ``litellm-patch run --``.
        program: the proxy's command; by default the one of this interpreter's environment.
        environment: added to `clean_environment`.
        arguments: added to the proxy's command.
        files: name to content of files beside the configuration, for example Python modules
            that it names.

    Raises:
        ProxyDidNotStart: with the end of the proxy's output.
    """
    with tempfile.TemporaryDirectory(prefix="litellm-patch-") as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(json.dumps(configuration, indent=1))
        for name, content in (files or {}).items():
            (Path(folder) / name).write_text(content)
        port = free_port()
        command = [*launch, *(console_script() if program is None else program)]
        command += ["--config", str(path), "--port", str(port), "--host", "127.0.0.1", *arguments]
        told = {**clean_environment(), **(environment or {})}
        with serving(command, port, environment=told, log=Path(folder) / "proxy.log") as proxy:
            yield proxy


@contextmanager
def serving(
    command: Sequence[str] | str,
    port: int,
    *,
    environment: Mapping[str, str],
    log: Path,
    cwd: Path | None = None,
) -> Iterator[Proxy]:
    """Run a command (a string is for the shell) until it answers on `port`, and to the end.

    Raises:
        ProxyDidNotStart: with the end of its output.
    """
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                shell=isinstance(command, str),
                cwd=cwd,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
    except OSError as error:
        raise ProxyDidNotStart(f"cannot run {command[0]}: {error.strerror}") from error
    try:
        proxy = Proxy(f"http://127.0.0.1:{port}", process, log)
        _wait_until_it_answers(proxy)
        yield proxy
    finally:
        _stop(process)


def free_port() -> int:
    """A TCP port on loopback that was free a moment ago.

    It is none of those that systems give to clients: until the proxy listens, which takes seconds,
    somebody's connection might have got it.
    """
    for port in random.SystemRandom().sample(_PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {_PORTS.start} to {_PORTS.stop}")


def _wait_until_it_answers(proxy: Proxy) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        ended, late = proxy.process.poll() is not None, time.monotonic() > deadline
        if ended or late:
            why = f"it ended with {proxy.process.returncode}" if ended else "it does not answer"
            raise ProxyDidNotStart(f"{why}\n{proxy.log.read_text(errors='replace')[-3000:]}")
        try:
            with urllib.request.urlopen(f"{proxy.url}/health/liveliness", timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and its workers; kill those that do not end."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, kind)
        except (ProcessLookupError, PermissionError):
            pass
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            pass
