"""Where our launcher must stand in a command that another launcher begins.

``opentelemetry-instrument`` puts its own ``sitecustomize`` in front of ``PYTHONPATH``, and that
one runs no other, so ours would never be run. It works the other way round: ours runs what it
hides. So our launcher steps behind such a command, in front of the one that it launches.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..bootstrap import LAUNCH_WITH_PATCH

HIDES_OURS = ("opentelemetry-instrument",)

_WITHOUT_VALUE = ("-h", "--help", "--version")  # each of its other options takes one value


def step_behind(command: Sequence[str]) -> list[str] | None:
    """The command with our launcher behind another one; None where there is none to step behind.

    The launched command gets a ``--`` in front, so that the other launcher, whose parser knows
    abbreviations, leaves its options alone.
    """
    if not command or Path(command[0]).stem not in HIDES_OURS:
        return None
    begin = _begin_of_launched(command)
    if begin is None:
        return None
    options = [word for word in command[1:begin] if word != "--"]  # it was the last of them
    return [command[0], *options, "--", *LAUNCH_WITH_PATCH, *command[begin:]]


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
