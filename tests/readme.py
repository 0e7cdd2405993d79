"""The README and its pages as data: fenced blocks, commands, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
FOLDERS = ("activation", "bench", "cli", "faults", "limits", "matrix", "own_app")
PAGES = [README, *(ROOT / "tests" / folder / "README.md" for folder in FOLDERS)]
"""The README and the pages that it leads to, but for recipes and the fork, which have tests of
their own."""

PROGRAMS = ("litellm-patch", "python", "pip", "pytest", "uv", "git", "docker", "kubectl", "tox")
PROGRAMS += (".ci/run", "opentelemetry-instrument", "sudo", "systemctl", "litellm")
"""What a command begins with. A name alone, such as `tox`, is a name and no command."""

VARIABLE = re.compile(r"(LITELLM_PATCH\w*|PYTHONPATH|AUTOWRAPT_BOOTSTRAP)=\S")
CALL = re.compile(r"(import litellm_patch$|(\w+\.)+\w+\(.*\)$|\w+\(.*\)$)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the heading that it stands under."""

    language: str
    text: str
    heading: str


def blocks(text: str) -> list[Block]:
    found, heading = [], ""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("```"):
            body = []
            for inner in lines:
                if inner.startswith("```"):
                    break
                body.append(inner)
            found.append(Block(line[3:].strip(), "\n".join(body) + "\n", heading))
    return found


def prose(text: str) -> str:
    """The text without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def inline(text: str) -> list[str]:
    """Every `code span`, in order, with line breaks as spaces."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(text))]


def commands(text: str) -> list[str]:
    """Everything that a reader may type: lines of shell blocks, Python blocks, code spans."""
    found = []
    for block in blocks(text):
        if block.language == "sh":
            found += [line for line in block.text.splitlines() if line and line[0] != "#"]
        elif block.language == "text":
            found += [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]
        elif block.language == "python":
            found.append("python: " + block.text.partition("\n")[0])
    found += [span for span in inline(text) if is_command(span)]
    return list(dict.fromkeys(found))


def is_command(span: str) -> bool:
    first, _, rest = span.partition(" ")
    return (
        (first in PROGRAMS and bool(rest))
        or first == ".ci/run"
        or bool(VARIABLE.match(span) or CALL.match(span))
    )


def page(folder: str) -> str:
    """The text of the page that is in a folder of the tests."""
    return (ROOT / "tests" / folder / "README.md").read_text()


def section(text: str, heading: str) -> str:
    """From a heading to the next one of the same depth."""
    found = re.search(rf"^(#+) {re.escape(heading)}$(.*?)(?=^\1 |\Z)", text, flags=re.M | re.S)
    assert found is not None, f"there is no section {heading}"
    return found[2]


def slug(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
