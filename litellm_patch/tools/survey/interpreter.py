"""Ask an interpreter, in a child process, what it would import."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from .child import MARK

_CHILD = files(__package__) / "child.py"
TIMEOUT = 120.0
"""Seconds. Importing LiteLLM's proxy takes 3 to 10 s."""


class CannotAsk(RuntimeError):
    """The interpreter could not be run, or did not answer; the text says why."""


def console_script() -> str | None:
    """The ``litellm`` that a shell would run, else the one beside this interpreter."""
    return shutil.which("litellm") or shutil.which("litellm", path=Path(sys.executable).parent)


def ask(
    interpreter: Sequence[str],
    *arguments: str,
    environment: Mapping[str, str] = os.environ,
    timeout: float = TIMEOUT,
) -> dict[str, Any]:
    """Run the child in `interpreter` (a command) and return its answer.

    Args:
        timeout: seconds.

    Raises:
        CannotAsk: with the last line of its errors, if that can hold no secret.
    """
    try:
        with as_file(_CHILD) as child:  # unpacked, where the wheel itself stands on the path
            done = run_bounded([*interpreter, str(child), *arguments], environment, timeout)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotAsk(f"{interpreter[0]}: {type(error).__name__}") from error
    for line in reversed(done.stdout.splitlines()):
        if line.startswith(MARK):
            answer: dict[str, Any] = json.loads(line[len(MARK) :])
            return answer
    said = _harmless(done.stderr) or f"exit status {done.returncode}"
    raise CannotAsk(f"{interpreter[0]}: {said[:300]}")


def run_bounded(
    command: Sequence[str], environment: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process group of its own and capture its output.

    Raises:
        subprocess.TimeoutExpired: after `seconds`. The group is killed. A process that left the
            group may hold the pipes open for ever, so they are closed and not read to the end.
    """
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except BaseException:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except OSError:  # it ended by itself
                pass
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _harmless(stderr: str) -> str:
    """The error that ended a process. Its text is kept only if that names modules or code, since
    a host's own errors may quote its settings."""
    last = stderr.strip().rpartition("\n")[2]
    kind = last.partition(":")[0]
    if kind in ("ImportError", "ModuleNotFoundError", "SyntaxError"):
        return last
    return kind if re.fullmatch(r"[\w.]*(Error|Exception)", kind) else ""
