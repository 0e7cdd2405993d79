"""A source tree, site-packages or unpacked wheel with LiteLLM in it: which release it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from .refused import NoTree, Refused

_SECTION = re.compile(r"^\[(?:project|tool\.poetry)\]$(.*?)(?=^\[|\Z)", re.M | re.S)
_NAME = re.compile(r"""^name\s*=\s*["']([^"']+)["']""", re.M)
_VERSION = re.compile(r"""^version\s*=\s*["']([^"']+)["']""", re.M)


@dataclass(frozen=True)
class Tree:
    """A directory that contains ``litellm/``, and the release that it says it is."""

    root: Path
    release: str

    def read(self, path: str) -> bytes | None:
        """The content of a file of the tree, None if there is no such file."""
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Refused(f"cannot read {self.root / path}: {error.strerror}") from error


def tree_at(root: Path) -> Tree:
    """The tree at `root`.

    Raises:
        Refused: there is no LiteLLM, or it does not say clearly which release it is.
    """
    if not (root / "litellm" / "__init__.py").is_file():
        raise NoTree(f"{root} does not contain litellm/; name the directory that does")
    said = {release: place for place, release in _releases(root)}
    if not said:
        raise Refused(
            f"cannot tell which release is in {root}: "
            "there is neither litellm-*.dist-info/METADATA nor LiteLLM's pyproject.toml"
        )
    if len(said) > 1:
        both = ", ".join(f"{release} ({place})" for release, place in said.items())
        raise Refused(f"{root} says that it is more than one release: {both}")
    return Tree(root, next(iter(said)))


def _releases(root: Path) -> list[tuple[str, str]]:
    """Where the release is said, and which."""
    found = []
    for path in sorted(root.glob("litellm-*.dist-info/METADATA")):
        head = HeaderParser().parsestr(path.read_text(encoding="utf-8", errors="replace"), True)
        if head["Name"] == "litellm":
            found.append((path.parent.name, str(head["Version"])))
    project = root / "pyproject.toml"
    if project.is_file():
        text = project.read_text(encoding="utf-8", errors="replace")
        for section in _SECTION.findall(text):
            name, version = _NAME.search(section), _VERSION.search(section)
            if name and version and name[1] == "litellm":
                found.append((project.name, version[1]))
    return found
