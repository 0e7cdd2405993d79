"""Whether a command that is about to be started will have the patch on, and if not, what to do.

Where nobody can tell, or the command's Python has no LiteLLM, there is nothing to say.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...bootstrap import FOLDER
from .command import PythonCommand
from .interpreter import CannotAsk, ask

PATIENCE = 10.0
"""Seconds for one question. The answer takes 0.1 s; a command must not wait long for it."""

_BUILT_IN = "build litellm_patch in, and turn it on by a callback in config.yaml (see its README)"


@dataclass(frozen=True)
class Outlook:
    """How a command's Python would start.

    Attributes:
        why_off: why the patch will not be on in it and what to do about that, or "".
        has_start_file: whether the script's package contains a ``sitecustomize``, as the
            packages of agents' launchers do.
    """

    why_off: str = ""
    has_start_file: bool = False


def outlook(
    command: Sequence[str], python: PythonCommand, environment: Mapping[str, str]
) -> Outlook:
    """Ask the Python of a command, in a child process that runs no start file.

    Args:
        python: the result of `python_of` for `command`.
        environment: the command will be started with it.
    """
    names, info = _archive(python) if python.is_script else ([], b"")
    has_litellm_inside = any(re.search(r"(^|/)litellm/__init__\.py$", name) for name in names)
    if _is_closed_pex(info, environment):
        why_off = f"{python.path} is a PEX, which ignores PYTHONPATH: {_BUILT_IN}"
        return Outlook(why_off if has_litellm_inside else "")
    may_launch = any(shutil.which(word) for word in command[python.position + 1 :])
    try:
        seen = ask(
            [*command[: python.position], *python.interpreter, "-S"],
            *("start", _module(python) if may_launch else ""),
            environment=environment,
            timeout=PATIENCE,
        )
    except CannotAsk:
        return Outlook()
    has_litellm = seen["litellm"] or has_litellm_inside
    why_off = _why_off(seen, command, python, bool(names)) if has_litellm else ""
    return Outlook(why_off, bool(seen["has_start_file"]))


def _why_off(
    seen: Mapping[str, Any], command: Sequence[str], python: PythonCommand, archived: bool
) -> str:
    start_file = seen["sitecustomize"]
    if start_file and not _is_ours(start_file) and "-S" not in python.interpreter:
        return ""  # it is the operator's, and may import litellm_patch
    executable = seen["executable"]
    there = executable + (f", which runs {python.path}" if python.is_script else "")
    flags = " ".join(flag for flag in python.interpreter[1:] if flag in ("-E", "-I", "-S"))
    if flags:
        how = f"{python.path} runs Python with {flags}, so that no start file is run"
        if python.is_script:
            return f"{how}: start it by litellm-patch run -- {executable} {python.path}"
        return f"{how}: leave that out"
    if not start_file:
        if python.position == 0:
            return f"{executable} does not find {FOLDER}: let it read that folder"
        first = command[python.position]
        return f"{command[0]} takes PYTHONPATH away: put litellm-patch run -- in front of {first}"
    if seen["python"] < [3, 9]:
        return f"litellm_patch needs Python 3.9, {executable} is older"
    if not seen["litellm_patch"]:
        what_to_do = _BUILT_IN if archived else "install it there"
        return f"litellm_patch is not installed for {there}: {what_to_do}"
    if not seen["wrapt"] and not archived:
        return f"wrapt is not installed for {there}: install it there"
    if seen["damaged"]:
        return f"litellm_patch is damaged ({seen['damaged']}) for {there}: install it again"
    return ""


def _is_ours(start_file: str) -> bool:
    return os.path.realpath(os.path.dirname(start_file)) == os.path.realpath(FOLDER)


def _archive(python: PythonCommand) -> tuple[list[str], bytes]:
    """The names in a script that is a zip file (shiv, zipapp, PEX), and the ``PEX-INFO`` of a PEX;
    both are empty for any other script."""
    try:
        with zipfile.ZipFile(python.path) as file:
            names = file.namelist()
            return names, file.read("PEX-INFO") if "PEX-INFO" in names else b""
    except (OSError, zipfile.BadZipFile):
        return [], b""


def _is_closed_pex(info: bytes, environment: Mapping[str, str]) -> bool:
    """Whether it is a PEX that starts Python anew with -sE or -I, and so inherits no path."""
    if not info:
        return False
    inherits = json.loads(info).get("inherit_path")
    return environment.get("PEX_INHERIT_PATH", inherits) in ("false", False, None)


def _module(python: PythonCommand) -> str:
    """The module that a console script runs, or ""."""
    if not python.is_script:
        return ""
    try:
        text = Path(python.path).read_text(errors="replace")[:4000]
    except OSError:
        return ""
    found = re.search(r"^from ([\w.]+) import \w+", text, re.MULTILINE)
    return found[1] if found else ""
