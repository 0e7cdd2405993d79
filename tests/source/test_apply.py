"""`litellm-patch apply` changes a tree completely or not at all, and says which."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from trees import METADATA, RELEASE, make_small_tree, snapshot

from litellm_patch.cli.main import main
from litellm_patch.source import replace, tool
from litellm_patch.source.apply import apply
from litellm_patch.source.catalogue import fit_for
from litellm_patch.source.refused import Refused

FILES = list(fit_for(RELEASE).before)
SOME_FILE = FILES[1]


@pytest.fixture
def tree(tmp_path) -> Path:
    return make_small_tree(tmp_path / "site-packages")


@contextmanager
def unchanged(tree: Path) -> Iterator[None]:
    before = snapshot(tree)
    yield
    assert snapshot(tree) == before


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n# mine\n")


def test_apply_reverse_apply_gives_identical_trees(tree):
    (tree / SOME_FILE).chmod(0o640)
    released = snapshot(tree)
    assert apply(tree).startswith("Applied ")
    patched = snapshot(tree)
    assert {path for path in released if released[path] != patched[path]} == set(FILES)
    assert apply(tree, reverse=True).startswith("Took ")
    assert snapshot(tree) == released
    apply(tree)
    assert snapshot(tree) == patched


def test_what_is_done_already_is_said_and_left(tree):
    with unchanged(tree):
        assert "is not patched" in apply(tree, reverse=True)
    apply(tree)
    with unchanged(tree):
        assert "patched already" in apply(tree)


def test_both_tools_give_the_same(tmp_path, monkeypatch):
    trees = []
    for name in ("git", "patch"):
        with monkeypatch.context() as patch:
            patch.setattr(tool.shutil, "which", lambda command, name=name: command == name)
            trees.append(make_small_tree(tmp_path / name))
            apply(trees[-1])
    assert snapshot(trees[0]) == snapshot(trees[1])


def test_without_a_tool_it_refuses(tree, monkeypatch):
    monkeypatch.setattr(tool.shutil, "which", lambda command: None)
    with unchanged(tree), pytest.raises(Refused, match="neither git nor patch"):
        apply(tree)


def test_a_repository_around_the_tree_and_git_settings_take_no_part(tree, tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "gitconfig").write_text(
        "[apply]\n\twhitespace = error-all\n[core]\n\tbare = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.chdir(tmp_path)
    assert apply(tree.relative_to(tmp_path)).startswith("Applied ")


@pytest.mark.parametrize(
    "version, words",
    [
        ("1.52.0", "no source patch for litellm 1.52.0"),
        ("9.0.0", "no source patch for litellm 9.0.0"),
        ("1.82.2", "not as in the release 1.82.2"),
        ("1.94.0", "not as in the release 1.94.0"),
    ],
)
def test_a_wrong_release_is_refused(tree, version, words):
    (tree / METADATA).write_text(f"Metadata-Version: 2.1\nName: litellm\nVersion: {version}\n\n")
    with unchanged(tree), pytest.raises(Refused, match=words):
        apply(tree)


def test_the_release_of_a_source_tree_is_in_its_project_file(tree):
    shutil.rmtree((tree / METADATA).parent)
    with unchanged(tree), pytest.raises(Refused, match="cannot tell which release"):
        apply(tree)
    (tree / "pyproject.toml").write_text(
        f'[build-system]\nname = "x"\n\n[tool.poetry]\nname = "litellm"\nversion = "{RELEASE}"\n'
        '\n[tool.other]\nname = "litellm"\nversion = "7"\n'
    )
    assert apply(tree).startswith("Applied ")


def test_two_releases_in_one_tree_are_refused(tree):
    other = tree / "litellm-1.2.3.dist-info" / "METADATA"
    other.parent.mkdir()
    other.write_text("Name: litellm\nVersion: 1.2.3\n\n")
    with unchanged(tree), pytest.raises(Refused, match="more than one release"):
        apply(tree)


def test_a_directory_without_litellm_is_refused(tmp_path):
    with unchanged(tmp_path), pytest.raises(Refused, match="does not contain litellm/"):
        apply(tmp_path)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_changed_file_is_named_and_nothing_is_touched(tree, reverse):
    if reverse:
        apply(tree)
    change(tree / SOME_FILE)
    with unchanged(tree), pytest.raises(Refused, match=SOME_FILE):
        apply(tree, reverse)


def test_a_missing_file_is_named_and_nothing_is_touched(tree):
    (tree / SOME_FILE).unlink()
    with unchanged(tree), pytest.raises(Refused, match=f"{SOME_FILE} is missing"):
        apply(tree)


def test_a_tree_that_is_patched_in_part_is_refused(tree):
    released = (tree / SOME_FILE).read_bytes()
    apply(tree)
    (tree / SOME_FILE).write_bytes(released)
    for reverse in (False, True):
        with unchanged(tree), pytest.raises(Refused, match="only in part"):
            apply(tree, reverse)


@pytest.fixture
def powerless() -> Iterator[None]:
    """Be somebody who may not write everywhere, as root may."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


def for_all(path: Path) -> None:
    """Let everybody reach a directory below pytest's private ones."""
    for parent in path.parents:
        if parent.owner() == path.owner() and not parent.stat().st_mode & 0o005:
            parent.chmod(0o755)


@pytest.mark.parametrize("where", [".", "litellm", "litellm/proxy", "litellm/types"])
def test_a_read_only_directory_is_refused(tree, where, request):
    for_all(tree)
    for path in [tree, *tree.rglob("*")]:
        if path.is_dir():
            path.chmod(0o777)
    closed = [path for path in [tree / where, *(tree / where).rglob("*")] if path.is_dir()]
    for path in closed:
        path.chmod(0o555)
    request.getfixturevalue("powerless")
    with unchanged(tree), pytest.raises(Refused, match="cannot write"):
        apply(tree)
    assert not (tree / replace.WORK).exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("succeed", range(len(FILES) + 1))
def test_a_failure_in_between_is_rolled_back(tree, monkeypatch, error, reverse, succeed):
    if reverse:
        apply(tree)
    real, calls = os.replace, []

    def failing(source, target):
        calls.append(target)
        if len(calls) == succeed + 1:
            raise error
        real(source, target)

    monkeypatch.setattr(replace.os, "replace", failing)
    with unchanged(tree), pytest.raises((Refused, KeyboardInterrupt)):
        apply(tree, reverse)


KILLED = """
import os, sys
from pathlib import Path
from litellm_patch.source import replace
from litellm_patch.source.apply import apply

real, left = os.replace, int(sys.argv[2])

def killed(source, target):
    global left
    if not left:
        os._exit(9)
    left -= 1
    real(source, target)

replace.os.replace = killed
apply(Path(sys.argv[1]), reverse=sys.argv[3] == "True")
"""


def kill_after(replacements: int, tree: Path, reverse: bool) -> None:
    command = [sys.executable, "-c", KILLED, str(tree), str(replacements), str(reverse)]
    assert subprocess.run(command).returncode == 9
    assert (tree / replace.WORK).exists()


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("succeed", range(len(FILES) + 1))
def test_a_killed_run_is_repaired_by_the_next(tree, reverse, succeed):
    released = snapshot(tree)
    apply(tree)
    patched = snapshot(tree)
    if not reverse:
        apply(tree, reverse=True)
    kill_after(succeed, tree, reverse)
    assert ("interrupted" in apply(tree, reverse)) == (succeed > 0)
    assert snapshot(tree) == (released if reverse else patched)


def test_work_of_somebody_else_after_a_killed_run_is_not_thrown_away(tree):
    kill_after(3, tree, reverse=False)
    change(tree / FILES[0])
    with unchanged(tree), pytest.raises(Refused, match="changed after an interrupted run"):
        apply(tree)


def test_two_runs_at_once_do_not_meet(tree):
    with replace.locked(tree), unchanged(tree), pytest.raises(Refused, match="another run"):
        apply(tree)


def test_a_hard_linked_cache_of_a_package_manager_stays_as_it_was(tree, tmp_path):
    cached = tmp_path / "cached.py"
    os.link(tree / SOME_FILE, cached)
    content = cached.read_bytes()
    apply(tree)
    assert cached.read_bytes() == content


def test_the_command_tells_by_its_exit_status(tree, capsys):
    assert main(["apply", "--to", str(tree)]) == 0
    assert main(["apply", "--to", str(tree)]) == 0
    assert main(["apply", "--to", str(tree), "--reverse"]) == 0
    change(tree / SOME_FILE)
    assert main(["apply", "--to", str(tree)]) == 1
    assert "refused, nothing was changed" in capsys.readouterr().err
    with pytest.raises(SystemExit) as wrong:
        main(["apply"])
    assert wrong.value.code == 2
