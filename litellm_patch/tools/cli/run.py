"""``litellm-patch run -- COMMAND …``: become COMMAND, with the patch on in it and below it.

The command replaces this process (exec), so that its signals, exit status and child
processes are its own. The patch travels in the environment, as a directory in front of
``PYTHONPATH``; it therefore reaches worker processes that are started afresh (spawn), which
a launcher that runs the command inside itself does not.

Before that, it asks the command's own Python whether the patch will be on in it. If not, it warns
the operator, or stops under ``LITELLM_PATCH=strict``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping

from ...bootstrap import with_patch
from ...switch import STRICT, STRICT_EXIT, complain, mode, switched_off
from ..survey.command import python_of
from ..survey.outlook import outlook
from .behind_agents import step_behind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "litellm-patch run -- COMMAND [ARGUMENT …]"
    parser.add_argument("command", nargs=argparse.REMAINDER, help="the command, after --")


def run(options: argparse.Namespace) -> int:
    """Replace this process with the command. Returns only if that fails (127 or 126), or if strict
    mode stops it (78)."""
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        print("litellm-patch run: no command given, for example: run -- litellm", file=sys.stderr)
        return 2
    environment = with_patch(os.environ)
    program = shutil.which(command[0])
    if program is None:
        print(f"litellm-patch run: no such command: {command[0]}", file=sys.stderr)
        return 127
    if not switched_off():
        command, why_off = _look(command, environment)
        if why_off and mode() == STRICT:
            stopped = f"stopped by LITELLM_PATCH=strict (exit status {STRICT_EXIT})"
            print(f"litellm-patch run: {stopped}: {why_off}", file=sys.stderr)
            return STRICT_EXIT
        if why_off:
            print(f"litellm-patch run: the patch will be off: {why_off}", file=sys.stderr)
    sys.stdout.flush()
    try:
        os.execve(program, command, environment)
    except OSError as error:
        print(f"litellm-patch run: cannot run {program}: {error.strerror}", file=sys.stderr)
        return 126


def _look(command: list[str], environment: Mapping[str, str]) -> tuple[list[str], str]:
    """The command to start, and why the patch would not be on in it, or ""."""
    try:
        python = python_of(command)
        if python is None:
            return command, ""
        found = outlook(command, python, environment)
        if found.has_start_file:
            behind = step_behind(command, python.position, environment)
            if behind is not None:  # our launcher looks again from there
                return behind, ""
        return command, found.why_off
    except Exception as error:  # the command must start, even if we cannot examine it
        complain(f"cannot tell whether the patch will be on ({type(error).__name__})")
        return command, ""
