"""Which Python a command would run, and whether the patch will be on in it.

The Python is read from the command's words and from the first line of its file, and is asked. Where
nobody can tell, or that Python has no LiteLLM, there is nothing to say.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...bootstrap import FOLDER
from .interpreter import CannotAsk, ask

TRANSPARENT = frozenset(
    ("catatonit", "dumb-init", "env", "ionice", "nice", "nohup")
    + ("setsid", "stdbuf", "time", "timeout", "tini")
)
"""Programs that run the command behind their options, and change at most its environment."""

_THEIRS = re.compile(r"-.*|\w+=.*|[\d.]+[a-z]?", re.DOTALL)
"""What may stand between such a program and its command: an option, a variable, a number. So may a
word right behind an option, as its value, if it is no program."""

PATIENCE = 10.0
"""Seconds for one question. The answer takes 0.1 s; a command must not wait long for it."""

_BUILT_IN = "build litellm_patch in, and turn it on by a callback in config.yaml (see its README)"


@dataclass(frozen=True)
class PythonCommand:
    """The Python in a command.

    Attributes:
        position: the place of its program among the command's words.
        path: the program's file: a script, or an interpreter.
        interpreter: the command of the interpreter, with those of its options that change its
            path or its start.
    """

    position: int
    path: str
    interpreter: tuple[str, ...]

    @property
    def is_script(self) -> bool:
        return self.path != self.interpreter[0]


def python_of(command: Sequence[str]) -> PythonCommand | None:
    """The Python that a command runs, also behind `TRANSPARENT` programs; None for any other."""
    transparent = False
    for position, word in enumerate(command):
        path = shutil.which(word)
        if path is not None:
            interpreter = shebang(Path(path))
            if not interpreter and re.match(r"(python|pypy)[\d.]*$", Path(path).name):
                interpreter = [path, *start_options(command[position + 1 :])]
            if interpreter:
                return PythonCommand(position, path, tuple(interpreter))
        is_value = path is None and position and command[position - 1].startswith("-")
        if Path(word).name in TRANSPARENT:
            transparent = True
        elif not (transparent and (is_value or _THEIRS.fullmatch(word))):
            return None
    return None


def shebang(script: Path) -> list[str]:
    """The Python command in a script's first line, as for `PythonCommand`; [] if there is none."""
    try:
        with script.open("rb") as file:
            first, second = file.readline(1000), file.readline(1000)
    except OSError:
        return []
    try:
        words = shlex.split(first[2:].decode(errors="replace")) if first[:2] == b"#!" else []
        if words and words[0].endswith("/sh"):  # installers do this where the path is too long
            words = shlex.split(second.decode(errors="replace").replace("'''exec'", "", 1))
            words = words[: words.index("$0")] if "$0" in words else []
    except ValueError:  # a quotation that does not end
        return []
    if words and words[0].endswith("/env"):
        words = [word for word in words[1:] if word != "-S"]
    if not words or "python" not in Path(words[0]).name:
        return []
    return [words[0], *start_options(words[1:])]


def start_options(words: Sequence[str]) -> list[str]:
    """Those of a Python's options, one by one, that change its path or its start: -E -I -P -s -S.

    Args:
        words: all that follows the interpreter.
    """
    letters = ""
    following = iter(words)
    for word in following:
        if not re.match(r"-[^-]", word):
            break
        own = re.split("[cmWX]", word[1:])[0]
        letters += own
        rest = word[1 + len(own) :]  # an option that takes a value, and perhaps the value
        if rest[:1] in ("c", "m"):  # the rest is for the program
            break
        if rest in ("W", "X"):
            next(following, None)
    return [f"-{letter}" for letter in "EIPsS" if letter in letters]


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
