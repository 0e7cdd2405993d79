"""`litellm-patch apply` changes a tree completely or not at all, and says which."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from trees import METADATA, RELEASE, make_small_tree, snapshot

from litellm_patch.tools.cli.main import main
from litellm_patch.tools.source import apply as module
from litellm_patch.tools.source import patches
from litellm_patch.tools.source.apply import apply
from litellm_patch.tools.source.patches import Refused, patch_for, source_patches

FILES = patch_for(RELEASE).paths
SOME_FILE = FILES[1]


@pytest.fixture
def tree(tmp_path) -> Path:
    return make_small_tree(tmp_path / "site-packages")


@contextmanager
def unchanged(tree: Path) -> Iterator[None]:
    before = snapshot(tree)
    yield
    assert snapshot(tree) == before


def change(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


def test_apply_and_reverse_change_the_whole_tree_once(tree, tmp_path):
    (tree / SOME_FILE).chmod(0o640)
    change(tree / SOME_FILE, b"import", b"# an operator's own change\nimport")
    os.link(tree / SOME_FILE, tmp_path / "cached.py")  # as package managers do
    released = snapshot(tree)
    with unchanged(tree):
        assert "is not patched" in apply(tree, reverse=True)
    assert apply(tree).startswith("Applied ")
    patched = snapshot(tree)
    assert {path for path in released if released[path] != patched[path]} == set(FILES)
    assert (tmp_path / "cached.py").read_bytes() == released[SOME_FILE][1]
    with unchanged(tree):
        assert "patched already" in apply(tree)
    assert apply(tree, reverse=True).startswith("Took ")
    assert snapshot(tree) == released


def test_git_patch_and_diff_give_the_same(tmp_path, monkeypatch, capsys):
    trees = []
    for name in ("git", "patch"):
        with monkeypatch.context() as patch:
            patch.setattr(patches.shutil, "which", lambda command, name=name: command == name)
            trees.append(make_small_tree(tmp_path / name))
            apply(trees[-1])
    by_hand = make_small_tree(tmp_path / "by-hand")
    assert main(["diff"]) == 0
    printed = capsys.readouterr().out.encode()
    subprocess.run(["git", "apply"], cwd=by_hand, input=printed, check=True)
    assert snapshot(trees[0]) == snapshot(trees[1]) == snapshot(by_hand)


def test_a_repository_around_the_tree_and_git_settings_take_no_part(tree, tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "gitconfig").write_text(
        "[apply]\n\twhitespace = error-all\n[core]\n\tbare = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.chdir(tmp_path)
    assert apply(tree.relative_to(tmp_path)).startswith("Applied ")


@pytest.mark.parametrize("version", ["1.52.0", "1.111.0", "9.0.0"])
def test_a_release_without_a_patch_is_refused(tree, version, capsys):
    (tree / METADATA).parent.rename(tree / f"litellm-{version}.dist-info")
    known = ", ".join(f"{patch.first} to {patch.last}" for patch in source_patches())
    with unchanged(tree), pytest.raises(Refused, match=f"{version}, only for {known}"):
        apply(tree)
    assert main(["diff", version]) == 1
    assert capsys.readouterr().out == ""


def test_the_release_of_a_source_tree_is_in_its_project_file(tree):
    shutil.rmtree((tree / METADATA).parent)
    with unchanged(tree), pytest.raises(Refused, match="cannot tell which release"):
        apply(tree)
    (tree / "pyproject.toml").write_text(
        f'[build-system]\nname = "x"\n\n[tool.poetry]\nname = "litellm"\nversion = "{RELEASE}"\n'
        '\n[tool.other]\nversion = "7"\n'
    )
    assert apply(tree).startswith("Applied ")


def no_tool(tree, monkeypatch):
    monkeypatch.setattr(patches.shutil, "which", lambda command: None)


def the_other_router(tree, monkeypatch):
    other = next(each for each in source_patches() if each != patch_for(RELEASE))
    (tree / METADATA).parent.rename(tree / f"litellm-{other.last}.dist-info")
    for path in other.paths:  # what a release of the other range has
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).touch()


def a_change_in_the_way(tree, monkeypatch):
    change(tree / "litellm/types/router.py", b"import datetime", b"import  datetime")


def a_full_disk(tree, monkeypatch):
    real, calls = shutil.copymode, []

    def copymode(source, target):
        calls.append(target)
        if len(calls) == len(FILES):
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(module.shutil, "copymode", copymode)


def a_file_that_cannot_be_replaced(tree, monkeypatch):
    replaces_no_more(monkeypatch, lambda target: target == tree / FILES[-1])


def replaces_no_more(monkeypatch, condition):
    """Let `os.replace` fail for the targets that meet a condition."""
    real = os.replace

    def replace(source, target):
        if condition(target):
            raise OSError(16, "Device or resource busy")
        real(source, target)

    monkeypatch.setattr(module.os, "replace", replace)


REFUSALS = [
    (lambda tree, _: (tree / "litellm-1.2.3.dist-info").mkdir(), re.escape("1.2.3 and ")),
    (lambda tree, _: (tree / SOME_FILE).unlink(), SOME_FILE),
    (no_tool, "neither git nor patch"),
    (the_other_router, "does not fit"),
    (a_change_in_the_way, r"does not fit(.|\n)*types/router.py"),
    (a_full_disk, "cannot write to .*: No space left"),
    (a_file_that_cannot_be_replaced, "cannot write to .*: Device or resource busy"),
]


@pytest.mark.parametrize("spoil, words", REFUSALS)
def test_what_cannot_be_patched_whole_is_left_as_it_is(tree, monkeypatch, spoil, words):
    spoil(tree, monkeypatch)
    with unchanged(tree), pytest.raises(Refused, match=words):
        apply(tree)


@pytest.mark.parametrize("reverse", [False, True])
def test_files_that_stay_changed_are_named(tree, monkeypatch, capsys, reverse):
    if reverse:
        apply(tree)
    replaced = []
    # The first file can be replaced once, and so not be brought back.
    replaces_no_more(monkeypatch, lambda target: replaced.append(target) or len(replaced) > 1)
    command = ["apply", "--to", str(tree), *(["--reverse"] if reverse else [])]
    before = snapshot(tree)
    assert main(command) == 1
    after = snapshot(tree)
    assert {path for path in after if after[path] != before.get(path)} == {FILES[0]}
    said = capsys.readouterr().err
    assert "nothing was changed" not in said
    assert str(tree / FILES[0]) in said
    assert not [path for path in FILES[1:] if str(tree / path) in said]


def test_an_interruption_takes_back_what_was_replaced(tree, monkeypatch):
    real = os.replace

    def replace(source, target):
        real(source, target)
        monkeypatch.setattr(module.os, "replace", real)
        raise KeyboardInterrupt

    monkeypatch.setattr(module.os, "replace", replace)
    with unchanged(tree), pytest.raises(KeyboardInterrupt):
        apply(tree)


@pytest.mark.parametrize("released_one", FILES)
def test_a_tree_that_is_patched_in_part_is_refused(tree, released_one):
    released = (tree / released_one).read_bytes()
    apply(tree)
    (tree / released_one).write_bytes(released)
    for reverse in (False, True):
        with unchanged(tree), pytest.raises(Refused, match="only a part or another edition"):
            apply(tree, reverse)


def test_the_command_tells_by_its_exit_status(tree, capsys):
    assert main(["apply", "--to", str(tree)]) == 0
    assert main(["apply", "--to", str(tree), "--reverse"]) == 0
    (tree / SOME_FILE).unlink()
    assert main(["apply", "--to", str(tree)]) == 1
    assert "refused, nothing was changed" in capsys.readouterr().err
    assert main(["apply", "--to", str(tree / "litellm")]) == 2
    assert "does not contain litellm/" in capsys.readouterr().err
