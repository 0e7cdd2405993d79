"""Our `sitecustomize` at the start of any Python, and the start file that it hides."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fake_litellm import ROOT, run

from litellm_patch.bootstrap import FOLDER

ASK = "import sys; print(getattr(sys, 'theirs', []), 'litellm_patch' in sys.modules)"


def start(*path: object, program: str = ASK, options=(), **environment: str) -> tuple[str, str]:
    """What a Python with this PYTHONPATH prints on each stream."""
    done = run(sys.executable, *options, "-c", program, path=[*path, ROOT], **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def test_a_process_without_litellm_loads_two_small_modules_and_no_more():
    loaded = "import sys; print(' '.join(sorted(sys.modules)))"
    stock, ours = (set(start(*path, program=loaded)[0].split()) for path in ([], [FOLDER]))
    # `sitecustomize` may exist without us, too.
    needed = {f"litellm_patch{name}" for name in ("", ".trigger", ".switch", "._version")}
    assert ours - stock - {"sitecustomize"} == needed


def test_switched_off_leaves_no_finder():
    finders = "import sys; print(sum('litellm_patch' in type(f).__module__ for f in sys.meta_path))"
    assert start(FOLDER, program=finders)[0] == "1"
    for word in ("off", "OFF", "0", "false", " no "):
        assert start(FOLDER, program=finders, LITELLM_PATCH=word)[0] == "0"


# How agents look for the file that theirs hides.
CHAINS = {
    "runs no other": "",
    # ddtrace
    "imports it again without its folder": """
here = os.path.dirname(__file__)
sys.path.remove(here)
del sys.modules["sitecustomize"]
try:
    import sitecustomize
except ImportError:
    sys.modules["sitecustomize"] = sys.modules[__name__]
finally:
    sys.path.insert(0, here)
""",
    # New Relic
    "takes its folder off and loads it": """
from importlib.machinery import PathFinder
sys.path.remove(os.path.dirname(__file__))
spec = PathFinder.find_spec("sitecustomize", path=sys.path)
if spec is not None:
    spec.loader.load_module("sitecustomize")
""",
    "looks for it in the path without its folder": """
from importlib.machinery import PathFinder
import importlib.util
path = [entry for entry in sys.path if entry != os.path.dirname(__file__)]
spec = PathFinder.find_spec("sitecustomize", path)
if spec is not None:
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
""",
}


def agent(folder: Path, chain: str = "runs no other") -> Path:
    folder.mkdir()
    name = f"sys.theirs = [*getattr(sys, 'theirs', []), {folder.name!r}]\n"
    (folder / "sitecustomize.py").write_text(f"import os, sys\n{name}{CHAINS[chain]}")
    return folder


def ours(kind: str, folder: Path) -> Path:
    """Another folder with our file in it."""
    if kind == "the same":
        return Path(FOLDER)
    if kind == "a link":
        folder.symlink_to(FOLDER)
    else:
        folder.mkdir()
        (folder / "sitecustomize.py").write_bytes(Path(FOLDER, "sitecustomize.py").read_bytes())
    return folder


@pytest.mark.parametrize("kind", ["the same", "a link", "a copy"])
@pytest.mark.parametrize("chain", CHAINS)
def test_it_runs_once_behind_several_of_our_folders(chain, kind, tmp_path):
    more = [ours(kind, tmp_path / name) for name in ("second", "third")]
    path = [FOLDER, *more, agent(tmp_path / "theirs", chain)]
    assert start(*path) == ("['theirs'] True", "")


@pytest.mark.parametrize("kind", ["the same", "a link", "a copy"])
@pytest.mark.parametrize("chain", [chain for chain in CHAINS if chain != "runs no other"])
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_agents_that_run_the_hidden_one_and_our_folders_meet(first, chain, kind, tmp_path):
    theirs, last = agent(tmp_path / "theirs", chain), agent(tmp_path / "last")
    inner = [FOLDER, theirs] if first == "ours" else [theirs, FOLDER]
    path = [*inner, ours(kind, tmp_path / "ours"), last]
    assert start(*path) == ("['theirs', 'last'] True", "")


def test_it_takes_the_name_and_nothing_of_ours_stays_behind(tmp_path):
    theirs = agent(tmp_path / "theirs")
    program = (
        "import sys; print([name for name in vars(sys) if 'litellm' in name],"
        " sys.modules['sitecustomize'].__file__)"
    )
    assert start(FOLDER, theirs, program=program) == (f"[] {theirs / 'sitecustomize.py'}", "")


def test_its_own_error_goes_up_as_without_us(tmp_path):
    theirs = agent(tmp_path / "theirs")
    (theirs / "sitecustomize.py").write_text("import no_such_module_here\n")
    alone, beside = start(theirs), start(FOLDER, ours("a copy", tmp_path / "ours"), theirs)
    assert (alone[0], beside[0]) == ("[] False", "[] True")
    assert "No module named 'no_such_module_here'" in alone[1]
    assert beside[1] == alone[1]
