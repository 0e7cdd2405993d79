"""The patches, their index, and `litellm-patch diff`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from trees import RELEASE, make_small_tree, snapshot

from litellm_patch.cli.main import main
from litellm_patch.source.apply import apply
from litellm_patch.source.catalogue import fit_for, sha256

PATCHES = Path(__file__).parents[2] / "patches"
INDEX = json.loads((PATCHES / "index.json").read_text())
MATRIX = ["1.53.1", "1.60.0", "1.70.0", "1.80.0", "1.89.7", "1.90.0", "1.102.4", "1.109.3"]
MATRIX += ["1.110.2"]


def test_the_index_is_of_these_patches():
    assert {path.name: sha256(path.read_bytes()) for path in PATCHES.glob("*.patch")} == {
        name: entry["sha256"] for name, entry in INDEX.items()
    }


@pytest.mark.parametrize("name", INDEX)
def test_a_patch_is_named_for_its_range_and_has_a_head(name):
    releases = list(INDEX[name]["releases"])
    assert name.startswith(f"{releases[0]}-{releases[-1]}-")
    head = (PATCHES / name).read_text().partition("\n---\n")[0]
    fields = re.findall(r"^([A-Z][A-Za-z-]+): .", head, re.M)
    assert {"Description", "Origin", "Bug", "Forwarded", "Last-Update"} <= set(fields)


@pytest.mark.parametrize("name", INDEX)
def test_a_patch_has_the_least_context(name):
    for hunk in re.split(r"^@@.*\n", (PATCHES / name).read_text(), flags=re.M)[1:]:
        lines = re.split(r"^--- ", hunk, flags=re.M)[0].splitlines()
        assert sum(not line.startswith(("+", "-")) for line in lines) == 2, hunk


@pytest.mark.parametrize("release", MATRIX)
def test_every_release_of_the_matrix_has_one(release):
    assert len([name for name, entry in INDEX.items() if release in entry["releases"]]) == 1
    fit = fit_for(release)
    assert fit.before.keys() == fit.after.keys()
    assert all(fit.before[path] != fit.after[path] for path in fit.before)


def test_diff_prints_what_apply_applies(tmp_path, capsys):
    by_hand = make_small_tree(tmp_path / "by-hand")
    by_us = make_small_tree(tmp_path / "by-us")
    assert main(["diff"]) == 0
    printed = capsys.readouterr().out
    assert main(["diff", RELEASE]) == 0
    assert capsys.readouterr().out == printed
    subprocess.run(["git", "apply"], cwd=by_hand, input=printed.encode(), check=True)
    apply(by_us)
    assert snapshot(by_hand) == snapshot(by_us)


def test_diff_of_a_release_without_a_patch_says_which_have_one(capsys):
    assert main(["diff", "1.52.0"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "1.53.1 to 1.109.3, 1.110.0 to 1.110.2" in said.err


def test_a_wheel_brings_the_patches_with_it(tmp_path):
    pytest.importorskip("pip")
    root = PATCHES.parent
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", tmp_path, root], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "-t", tmp_path / "there", wheel], check=True)
    program = "import sys; from litellm_patch.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", program, "diff", "1.80.0"],
        cwd=tmp_path / "there",
        capture_output=True,
    )
    assert done.stdout == fit_for("1.80.0").patch
