"""What `python -m build` makes can be uploaded, and is the same wherever it is built from."""

from __future__ import annotations

import email
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


def test_the_description_renders_without_a_warning(dist):
    from io import StringIO

    from readme_renderer import markdown

    (metadata,) = (t for name, t in content(dist.wheel).items() if name.endswith("/METADATA"))
    message = email.message_from_bytes(metadata)
    assert message["Description-Content-Type"] == "text/markdown"
    warnings = StringIO()
    page = markdown.render(metadata.decode().split("\n\n", 1)[1], stream=warnings)
    assert warnings.getvalue() == ""
    assert "<table>" in page
    assert "demo command" not in page  # comments stay comments


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
