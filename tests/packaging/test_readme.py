"""What the README and its pages tell a reader to type exists; figures are those of a result.

tests/publish types the commands as they stand.
"""

from __future__ import annotations

import csv
import re

import pytest
import readme

import litellm_patch
from litellm_patch.tools.cli.main import main

TEXT = readme.README.read_text()
PAGES = {path: path.read_text() for path in readme.PAGES}
RESULTS = readme.ROOT / "tests" / "bench" / "results"

CODE = [span for text in PAGES.values() for span in readme.inline(text)]
CODE += [
    line
    for text in PAGES.values()
    for block in readme.blocks(text)
    for line in block.text.splitlines()
]
OURS = sorted({found[0] for line in CODE if (found := re.search(r"litellm-patch [a-z].*", line))})


@pytest.mark.parametrize("line", OURS)
def test_every_command_of_ours_has_these_options(line, capsys):
    for command in line.split("litellm-patch ")[1:]:  # one may stand behind the other
        name, *words = command.partition(" -- ")[0].split()
        with pytest.raises(SystemExit, match="0"):
            main([name, "--help"])
        told = capsys.readouterr().out
        assert [word for word in words if word.startswith("--") and word not in told] == []


def test_names_of_ours_exist():
    ours = "\n".join(p.read_text() for p in (readme.ROOT / "litellm_patch").rglob("*.py"))
    text = "\n".join(PAGES.values())
    variables = set(re.findall(r"`(LITELLM_PATCH_\w*[A-Z])\b", text))
    assert len(variables) > 3
    assert [name for name in sorted(variables) if name not in ours] == []
    called = set(re.findall(r"\blitellm_patch\.(\w+)\(", text))
    assert called <= {*litellm_patch.__all__}


@pytest.mark.parametrize("name", ["demo", "test"])
def test_ci_runs_the_readmes_own_commands(name):
    assert re.search(rf"^<!-- {name} command -->\n```sh\n.*\n```$", TEXT, flags=re.M)
    assert f" readme_command {name}\n" in (readme.ROOT / ".ci/run").read_text()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_every_link_and_image_leads_somewhere(path):
    targets = re.findall(r"\]\(([^)]+)\)", readme.prose(PAGES[path]))
    targets += re.findall(r"^\[[^\]]+\]: (\S+)$", PAGES[path], flags=re.M)
    for target in targets:
        if not target.startswith("https://"):
            file, _, anchor = target.partition("#")
            there = path.parent / file if file else path
            assert there.exists(), target
            headings = re.findall(r"^#+ (.*)$", there.read_text(), flags=re.M) if anchor else []
            assert not anchor or anchor in map(readme.slug, headings), target


def test_the_readme_fits_on_two_screens():
    assert len(TEXT.split()) <= 1000


def test_the_table_of_pacing_is_the_benchmarks():
    assert (RESULTS / "table.md").read_text() in readme.page("bench")


def test_when_waiting_clients_are_back_is_from_the_benchmark():
    (seconds,) = re.findall(r"Thirty\s+waiting\s+clients\s+are\s+back\s+within\s+(\w+)", TEXT)
    with (RESULTS / "results.csv").open() as file:
        worst = [
            float(row["late_worst"])
            for row in csv.DictReader(file)
            if (row["scenario"], row["variant"]) == ("recovery-30-60", "as-shipped")
        ]
    assert max(worst) <= {"two": 2, "three": 3, "four": 4}[seconds]


def test_the_first_screen_is_what_the_demo_printed():
    printed = (RESULTS / "demo.txt").read_text()
    shown = next(block for block in readme.blocks(TEXT) if "without litellm_patch" in block.text)
    cells = [cell for cell in re.split(r"\s{2,}|\n", shown.text) if cell.strip("-")]
    described = "One call with the OpenAI SDK, provider healthy again:"
    assert [cell for cell in cells if cell not in printed] == [described]


def test_the_share_of_litellms_own_header_is_that_of_the_matrix():
    lines = (readme.ROOT / "tests/matrix/ENDPOINTS.md").read_text().splitlines()
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]
    assert "**no**" not in [cell for row in table for cell in row]
    newest = [row[-1] for row in table[2:] if row[-1] != "–"]
    told = re.findall(r"on (\d+) of (\d+) kinds", " ".join(TEXT.split()))
    assert told == [(str(newest.count("LiteLLM")), str(len(newest)))]
