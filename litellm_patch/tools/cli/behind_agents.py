"""Where our launcher must stand in a command that begins with another launcher.

The launcher of a monitoring agent puts its own ``sitecustomize`` in front of ``PYTHONPATH``. Few
such files run the one that they hide, so ours would never run; ours does run the one that it hides.
So our launcher steps behind the other, in front of the command that the other launches.

To find where that command begins, this module asks the other launcher to run a Python that prints
``PYTHONPATH``, without `site`, which would start the agent. It asks only a launcher that has a
start file in its package, since any other command might do anything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from ...bootstrap import FOLDER, LAUNCH_WITH_PATCH
from ..survey.interpreter import run_bounded

PATIENCE = 20.0
"""Seconds for all questions. An answer takes 0.2 to 0.5 s."""

_SAYS_PATH = [sys.executable, "-I", "-S", "-c", "import os; print(os.environ.get('PYTHONPATH'))"]


def step_behind(
    command: Sequence[str], begin: int, environment: Mapping[str, str]
) -> list[str] | None:
    """The command with our launcher behind another one; None if ours may stay, or cannot step.

    Args:
        command: a launcher with a start file stands at `begin` in it.
        environment: with the patch, as the command will be started.
    """
    deadline = time.monotonic() + PATIENCE
    for there, launched in _places(command, begin):
        path = _path_below(there, environment, deadline - time.monotonic())
        if path is not None:
            return [*there, *LAUNCH_WITH_PATCH, *launched] if _hides_ours(path) else None
    return None


def _places(command: Sequence[str], begin: int) -> Iterator[tuple[list[str], list[str]]]:
    """Where a launched command may begin: what must stand in front of it, and the command.

    A ``--`` in front is tried first. It keeps a parser that knows it, and abbreviations, from
    taking the launched command's options for its own.
    """
    for position in range(begin + 1, len(command)):
        if shutil.which(command[position]) is not None:
            before, launched = list(command[:position]), list(command[position:])
            if before[-1] != "--":
                yield [*before, "--"], launched
            yield before, launched


def _path_below(
    launcher: Sequence[str], environment: Mapping[str, str], seconds: float
) -> list[str] | None:
    """The ``PYTHONPATH`` that a launcher gives to its command; None if it does not tell."""
    if seconds <= 0:
        return None
    try:
        said = run_bounded([*launcher, *_SAYS_PATH], environment, seconds).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    paths = (line.split(os.pathsep) for line in said.splitlines())
    return next((path for path in paths if FOLDER in path), None)


def _hides_ours(path: Sequence[str]) -> bool:
    """Whether another start file stands in front of ours."""
    others = path[: path.index(FOLDER)]
    names = ("sitecustomize.py", os.path.join("sitecustomize", "__init__.py"))
    return any(os.path.exists(os.path.join(entry, name)) for entry in others for name in names)
