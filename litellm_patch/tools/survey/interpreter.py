"""Ask an interpreter, in a child process, what it would import."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from .bounded import run_bounded
from .child import MARK
from .command import shebang

_CHILD = files(__package__) / "child.py"
TIMEOUT = 120.0
"""Seconds. Importing LiteLLM's proxy takes 3 to 10 s."""


class CannotAsk(RuntimeError):
    """The interpreter could not be run, or did not answer; the text says why."""


@dataclass(frozen=True)
class Script:
    """A console script: its path, and the command that its first line says runs it."""

    path: str
    interpreter: tuple[str, ...]


def own_flags() -> list[str]:
    """The options of this interpreter that decide whether a start file is run."""
    flags = {"-I": sys.flags.isolated, "-S": sys.flags.no_site, "-E": sys.flags.ignore_environment}
    if flags["-I"]:  # which implies the other
        flags["-E"] = 0
    return [flag for flag, given in flags.items() if given]


def console_script(name: str = "litellm") -> Script | None:
    """The script that a shell would run for `name`, else the one beside this interpreter."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    return Script(found, tuple(shebang(Path(found)))) if found else None


def ask(
    interpreter: Sequence[str],
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> dict[str, Any]:
    """Run the child in `interpreter` (a command) and return its answer.

    Args:
        timeout: seconds.

    Raises:
        CannotAsk: with the last line of what it said, if that can hold no secret.
    """
    try:
        with as_file(_CHILD) as child:  # out of the wheel, where that stands on the path itself
            told = os.environ if environment is None else environment
            done = run_bounded([*interpreter, str(child), *arguments], told, timeout)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotAsk(f"{interpreter[0]}: {type(error).__name__}") from error
    for line in reversed(done.stdout.splitlines()):
        if line.startswith(MARK):
            answer: dict[str, Any] = json.loads(line[len(MARK) :])
            return answer
    said = _harmless(done.stderr) or f"exit status {done.returncode}"
    raise CannotAsk(f"{interpreter[0]}: {said[:300]}")


def _harmless(stderr: str) -> str:
    """The error that a process ended with. Its text only where that names modules or code: a
    host's own errors may quote its settings."""
    last = stderr.strip().rpartition("\n")[2]
    kind = last.partition(":")[0]
    if kind in ("ImportError", "ModuleNotFoundError", "SyntaxError"):
        return last
    return kind if re.fullmatch(r"[\w.]*(Error|Exception)", kind) else ""
