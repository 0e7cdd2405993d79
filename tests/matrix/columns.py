"""A Markdown table with a column for each release, of which some can be made anew."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable

from sources import number

Cells = dict[str, str]
"""By the name of a row."""


def update(output: Path, head: str, look: Callable[[Path], Cells], wrong: str) -> int:
    """Look at the environments of the command line, ``FOLDER [RELEASE ...]``.

    Args:
        head: what stands above the table.
        look: makes the column of a release; is given its interpreter.
        wrong: stands where a release has no such row.

    Returns 1 if something is `wrong`.
    """
    folder, *named = sys.argv[1:]
    found = {path.parents[1].name: path for path in Path(folder).glob("*.*.*/bin/python")}
    columns = read(output) if named else {}
    for release in sorted(named or found, key=number):
        print(f"== {release}", flush=True)
        columns[release] = look(found[release])
        in_order = {each: columns[each] for each in sorted(columns, key=number)}
        output.write_text(f"{head}\n{table(in_order, wrong)}", encoding="utf-8")
    return any(wrong in each.values() for each in columns.values())


def table(columns: dict[str, Cells], wrong: str) -> str:
    lines = ["| | " + " | ".join(columns) + " |", "| --- " * (len(columns) + 1) + "|"]
    for name in dict.fromkeys(name for each in columns.values() for name in each):
        cells = [each.get(name, wrong) for each in columns.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def read(output: Path) -> dict[str, Cells]:
    """The columns of the table as it is."""
    lines = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
    rows = [line.strip("|").split("|") for line in lines if line[:1] == "|"]
    head, _, *others = [[cell.strip() for cell in row] for row in rows] or [[], []]
    return {name: {row[0]: row[at] for row in others} for at, name in enumerate(head) if name}
