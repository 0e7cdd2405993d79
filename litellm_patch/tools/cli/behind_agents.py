"""Where our launcher must stand in a command that another launcher begins.

A launcher of a monitoring agent puts a ``sitecustomize`` of its own in front of ``PYTHONPATH``,
and few of those run the one that they hide, so ours would never be run. It works the other way
round: ours runs what it hides. So our launcher steps behind such a command, in front of the one
that it launches.

Where that is, the other launcher itself tells: it is let run ``printenv PYTHONPATH``, which
starts no Python and so no agent. Only a launcher that has a start file in its package is asked,
since any other command might do anything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ...bootstrap import FOLDER, LAUNCH_WITH_PATCH
from ..survey.interpreter import run_bounded

PATIENCE = 20.0
"""Seconds for all questions. An answer takes 0.2 to 0.5 s."""

HIDES_OURS = ("elasticapm-run", "opentelemetry-instrument")
"""Taken for such where they cannot be asked. Each of their options takes one value, but for
`_WITHOUT_VALUE`, and their parsers know ``--``."""

_WITHOUT_VALUE = ("-h", "--help", "--version")


def step_behind(
    command: Sequence[str], begin: int, environment: Mapping[str, str]
) -> list[str] | None:
    """The command with our launcher behind another one; None where it need not, or cannot.

    Args:
        command: in which a launcher with a start file stands at `begin`.
        environment: with the patch, as the command will be started.
    """
    launcher = command[begin]
    deadline = time.monotonic() + PATIENCE
    for position, more in _places(command, begin):
        there = [*command[begin:position], *more]
        path = _path_below(there, environment, deadline - time.monotonic())
        if path is not None:
            if not _hides_ours(path):
                return None
            return [*command[:begin], *there, *LAUNCH_WITH_PATCH, *command[position:]]
    if Path(launcher).name in HIDES_OURS:
        known = _begin_of_launched(command[begin:])
        if known is not None:
            options = [word for word in command[begin : begin + known] if word != "--"]
            rest = command[begin + known :]
            return [*command[:begin], *options, "--", *LAUNCH_WITH_PATCH, *rest]
    return None


def _places(command: Sequence[str], begin: int) -> Iterator[tuple[int, list[str]]]:
    """Where a launched command may begin, and what must be put in front of it.

    First with ``--``, which keeps a parser that knows it, and abbreviations, from taking the
    launched command's options for its own.
    """
    for position in range(begin + 1, len(command)):
        if shutil.which(command[position]) is not None:
            if command[position - 1] != "--":
                yield position, ["--"]
            yield position, []


def _path_below(
    launcher: Sequence[str], environment: Mapping[str, str], seconds: float
) -> list[str] | None:
    """The ``PYTHONPATH`` that a launcher gives what it launches; None where it does not tell."""
    printenv = shutil.which("printenv")
    if printenv is None or seconds <= 0:
        return None
    try:
        said = run_bounded([*launcher, printenv, "PYTHONPATH"], environment, seconds).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    for line in said.splitlines():
        if FOLDER in line.split(os.pathsep):
            return line.split(os.pathsep)
    return None


def _hides_ours(path: Sequence[str]) -> bool:
    """Whether another start file stands in front of ours."""
    others = path[: path.index(FOLDER)]
    names = ("sitecustomize.py", os.path.join("sitecustomize", "__init__.py"))
    return any(os.path.exists(os.path.join(entry, name)) for entry in others for name in names)


def _begin_of_launched(command: Sequence[str]) -> int | None:
    """The position of the launched command's name; None where there is none."""
    position = 1
    while position < len(command):
        word = command[position]
        if word in _WITHOUT_VALUE:
            return None
        if word == "--":
            return position + 1 if position + 1 < len(command) else None
        if not word.startswith("-"):
            return position
        position += 1 if "=" in word else 2
    return None
