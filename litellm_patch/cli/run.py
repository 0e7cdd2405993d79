"""``litellm-patch run -- COMMAND …``: become COMMAND, with the patch on in it and below it.

The command replaces this process (exec), so that its signals, exit status and child
processes are its own. The patch travels in the environment, as a directory in front of
``PYTHONPATH``; it therefore reaches worker processes that are started afresh (spawn), which
a launcher that runs the command inside itself does not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from ..bootstrap import with_patch
from .behind_agents import step_behind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "litellm-patch run -- COMMAND [ARGUMENT …]"
    parser.add_argument("command", nargs=argparse.REMAINDER, help="the command, after --")


def run(options: argparse.Namespace) -> int:
    """Replace this process by the command. Returns only if that fails: 127 or 126."""
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        print("litellm-patch run: no command given, for example: run -- litellm", file=sys.stderr)
        return 2
    environment = with_patch(os.environ)
    command = step_behind(command) or command
    program = shutil.which(command[0])
    if program is None:
        print(f"litellm-patch run: no such command: {command[0]}", file=sys.stderr)
        return 127
    sys.stdout.flush()
    try:
        os.execve(program, command, environment)
    except OSError as error:
        print(f"litellm-patch run: cannot run {program}: {error.strerror}", file=sys.stderr)
        return 126
