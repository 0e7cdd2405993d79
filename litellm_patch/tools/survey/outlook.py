"""Whether a command that is about to be started will have the patch on, and if not, what to do.

Nothing is said where that cannot be told, nor where the command's Python has no LiteLLM.
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
    """What a command's Python would find at its start.

    Attributes:
        why_off: why the patch will not be on in it and what to do about that, or "".
        has_start_file: whether the script's package has a ``sitecustomize`` of its own in it,
            as launchers of agents do.
    """

    why_off: str = ""
    has_start_file: bool = False


def outlook(
    command: Sequence[str], python: PythonCommand, environment: Mapping[str, str]
) -> Outlook:
    """Ask the Python of a command, in a child process that runs no start file.

    Args:
        python: what `python_of` found in `command`.
        environment: what the command will be started with.
    """
    archive = _archive(python) if python.is_script else None
    if _is_closed_pex(archive or {}, environment):
        why_off = f"{python.path} is a PEX, which ignores PYTHONPATH: {_BUILT_IN}"
        return Outlook(why_off if _has_litellm(archive or ()) else "")
    try:
        seen = ask(
            [*command[: python.position], *python.interpreter, "-S"],
            *("start", _module(python) if _may_launch(command, python) else ""),
            environment=environment,
            timeout=PATIENCE,
        )
    except CannotAsk:
        return Outlook()
    has_litellm = bool(seen["litellm"]) or _has_litellm(archive or ())
    why_off = _why_off(seen, command, python, archive is not None) if has_litellm else ""
    return Outlook(why_off, bool(seen["has_start_file"]))


def _why_off(
    seen: Mapping[str, Any], command: Sequence[str], python: PythonCommand, archived: bool
) -> str:
    start_file = seen["sitecustomize"]
    if start_file and not _is_ours(start_file) and "-S" not in python.interpreter:
        return ""  # the operator's own, which may import litellm_patch
    executable = seen["executable"]
    there = executable + (f", which runs {python.path}" if python.is_script else "")
    flags = " ".join(flag for flag in python.interpreter[1:] if flag in ("-E", "-I", "-S"))
    if flags:
        how = f"{python.path} runs Python with {flags}, so that no start file is run"
        if python.is_script:
            return f"{how}: start it by litellm-patch run -- {executable} {python.path}"
        return f"{how}: leave that out"
    if not start_file and python.position == 0:
        return f"{executable} does not find {FOLDER}: let it read that folder"
    if not start_file:
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


def _archive(python: PythonCommand) -> dict[str, bytes] | None:
    """The names in a script that is a zip file (shiv, zipapp, PEX); None for any other.

    Only the one that says what kind of PEX it is comes with its content.
    """
    try:
        with zipfile.ZipFile(python.path) as file:
            return {
                name: file.read(name) if name == "PEX-INFO" else b"" for name in file.namelist()
            }
    except (OSError, zipfile.BadZipFile):
        return None


def _has_litellm(names: Sequence[str] | Mapping[str, bytes]) -> bool:
    return any(re.search(r"(^|/)litellm/__init__\.py$", name) for name in names)


def _is_closed_pex(archive: Mapping[str, bytes], environment: Mapping[str, str]) -> bool:
    """Whether it is a PEX that starts Python anew with -sE or -I: one that inherits no path."""
    try:
        inherits = json.loads(archive["PEX-INFO"]).get("inherit_path")
    except (KeyError, ValueError, AttributeError):
        return False
    return environment.get("PEX_INHERIT_PATH", inherits) in ("false", False, None)


def _may_launch(command: Sequence[str], python: PythonCommand) -> bool:
    return any(shutil.which(word) for word in command[python.position + 1 :])


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
