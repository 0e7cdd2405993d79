"""The README and its pages as data: fenced blocks, code spans, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, ROOT / "patches" / "README.md", *sorted((ROOT / "tests").glob("*/README.md"))]


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the heading that it stands under."""

    language: str
    text: str
    heading: str


def blocks(text: str) -> list[Block]:
    found, heading = [], ""
    parts = re.findall(r"^#+ ([^\n]*)$|^```([^\n]*)\n(.*?)^```$", text, flags=re.M | re.S)
    for title, language, body in parts:
        if title:
            heading = title
        else:
            found.append(Block(language.strip(), body, heading))
    return found


def prose(text: str) -> str:
    """The text without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def inline(text: str) -> list[str]:
    """Every `code span`, in order, with line breaks as spaces."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(text))]


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
