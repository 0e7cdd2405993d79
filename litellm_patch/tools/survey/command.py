"""Which Python a command would run, read from its words and from the first line of its file."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TRANSPARENT = frozenset(
    ("catatonit", "dumb-init", "env", "ionice", "nice", "nohup")
    + ("setsid", "stdbuf", "time", "timeout", "tini")
)
"""Programs that run the command behind their options, and change at most its environment."""

_THEIRS = re.compile(r"-.*|\w+=.*|[\d.]+[a-z]?", re.DOTALL)
"""What may stand between such a program and its command: an option, a variable, a number. So may a
word right behind an option, as its value, if it is no program."""


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
