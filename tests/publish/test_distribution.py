"""What `python -m build` makes can be uploaded, and is the same wherever it is built from."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

from sandbox import ROOT, run

import litellm_patch


def content(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_twine_finds_nothing_to_complain_about(dist):
    said = run(
        [sys.executable, "-m", "twine", "check", "--strict", dist.sdist, dist.wheel], cwd=ROOT
    )
    assert said.count("PASSED") == 2


def test_the_wheel_is_the_same_from_the_sdist_and_from_the_tree(dist):
    assert content(dist.wheel) == content(dist.wheel_from_tree)


def test_the_sdist_has_the_patches_and_not_a_link_to_them(dist):
    with tarfile.open(dist.sdist) as archive:
        assert not [member.name for member in archive if member.issym() or member.islnk()]
        top = f"litellm_patch-{litellm_patch.__version__}/litellm_patch/patches"
        for path in (ROOT / "patches").glob("*.patch"):
            packed = archive.extractfile(f"{top}/{path.name}")
            assert packed is not None
            assert packed.read() == path.read_bytes()
