"""The changelog has the form of Keep a Changelog, and the version stands in one place."""

from __future__ import annotations

import re
from pathlib import Path

import litellm_patch

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CHANGELOG.md").read_text()
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
HEADING = re.compile(r"## \[(Unreleased|\d+\.\d+\.\d+)\](?: - (\d{4}-\d\d-\d\d))?( \[YANKED\])?")


def entries() -> dict[str, str]:
    """Version to what stands below it, newest first."""
    parts = re.split(r"^(## .*)$", TEXT, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def numbers() -> list[str]:
    matches = [HEADING.fullmatch(heading) for heading in entries()]
    return [match[1] for match in matches if match is not None]


def test_it_has_the_form_of_keep_a_changelog():
    assert TEXT.startswith("# Changelog\n")
    assert "keepachangelog.com/en/1.1.0" in TEXT
    for heading, body in entries().items():
        match = HEADING.fullmatch(heading)
        assert match is not None, heading
        assert (match[1] == "Unreleased") is (match[2] is None), f"{heading}: a release has a date"
        kinds = re.findall(r"^### (.*)$", body, flags=re.M)
        assert kinds == [kind for kind in KINDS if kind in kinds], heading
        for section in re.split(r"^### .*$", body, flags=re.M)[1:]:
            assert re.match(r"\n+- ", section), f"{heading}: a kind without a list"


def test_versions_go_down_and_unreleased_is_first():
    found = numbers()
    assert found[1:].count("Unreleased") == 0
    releases = [tuple(map(int, n.split("."))) for n in found if n != "Unreleased"]
    assert releases == sorted(set(releases), reverse=True)


def test_the_newest_release_is_this_version():
    """Before the first release there is no number yet, but what it will be is written down."""
    released = [number for number in numbers() if number != "Unreleased"]
    assert released[:1] in ([], [litellm_patch.__version__])
    if not released:
        assert "### Added" in next(iter(entries().values()))


def test_the_version_stands_in_one_place():
    version = litellm_patch.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    says_it = re.compile(rf"version[^\n]*=\s*[\"']?{re.escape(version)}", re.I)
    files = [ROOT / "setup.cfg", ROOT / "pyproject.toml", *(ROOT / "litellm_patch").rglob("*.py")]
    assert [file.name for file in files if says_it.search(file.read_text())] == ["_version.py"]
    assert "version = attr: litellm_patch._version.__version__" in (ROOT / "setup.cfg").read_text()
