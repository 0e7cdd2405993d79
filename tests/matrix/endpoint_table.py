"""Ask real proxies of several releases every kind of request, and write the table of answers.

    python tests/matrix/endpoint_table.py FOLDER [RELEASE ...]

runs `tests/proxy/test_endpoints.py` with ``FOLDER/<release>/bin/python`` for every release
that has an environment there, and writes `ENDPOINTS.md` beside this file from the results.
Where releases are named, only their columns are made anew.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

from columns import Cells, update

ROOT = Path(__file__).parents[2]
OUTPUT = Path(__file__).with_name("ENDPOINTS.md")
TEST = "test_a_refusal_tells_the_cooldown"
NATIVE, OURS, ABSENT, WRONG = "LiteLLM", "patch", "–", "**no**"

HEAD = f"""# Endpoints

Written by `tests/matrix/endpoint_table.py` from real proxies, each with and without the patch,
while every deployment of the group that is asked for is cooling down; do not edit.

- `{OURS}`: 429 with exactly one valid `Retry-After` with the patch, and not without it
- `{NATIVE}`: the same, and LiteLLM's own header is there without the patch, too
- `{ABSENT}`: the release has no such route, or does not route it to a model group
- `{WRONG}`: neither; there is none
"""


def run(python: Path) -> Cells:
    """Kind of request to cell, from a run of the test in one environment."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [str(python), "-m", "pytest", "-q", "tests/proxy/test_endpoints.py", "-k", TEST]
        subprocess.run([*command, f"--junitxml={report}"], cwd=ROOT, check=False)
        return cells(xml.parse(report).getroot())


def cells(report: xml.Element) -> Cells:
    """Kind of request to cell, from pytest's report of a run."""
    outcomes: dict[str, dict[str, str]] = {}
    for case in report.iter("testcase"):
        found = re.fullmatch(rf"{TEST}\[(.+?)(?:-(with|without)-patch)?\]", case.get("name", ""))
        if found is not None:
            outcomes.setdefault(found[1], {})[found[2] or "skipped"] = outcome(case)
    return {kind: cell(sides) for kind, sides in outcomes.items()}


def outcome(case: xml.Element) -> str:
    for child in case:
        if child.tag in ("failure", "error"):
            return "failed"
        if child.tag == "skipped":
            return "failed as it must" if child.get("type") == "pytest.xfail" else "skipped"
    return "passed"


def cell(sides: dict[str, str]) -> str:
    if "skipped" in sides.values():
        return ABSENT
    if sides.get("with") != "passed":
        return WRONG
    return {"passed": NATIVE, "failed as it must": OURS}.get(sides.get("without", ""), WRONG)


if __name__ == "__main__":
    raise SystemExit(update(OUTPUT, HEAD, run, wrong=WRONG))
