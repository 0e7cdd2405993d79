"""What activation does to a process that never imports LiteLLM, and to its sitecustomize."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import litellm_patch

BOOTSTRAP = str(Path(litellm_patch.__file__).parent / "bootstrap")
ROOT = str(Path(litellm_patch.__file__).parents[1])


def python(program: str, *paths: str, options: tuple = (), **environment: str) -> tuple[str, str]:
    """Run a program under the given PYTHONPATH; returns its stdout and stderr."""
    done = subprocess.run(
        [sys.executable, *options, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*paths, ROOT]), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


LOADED = "import sys; print(' '.join(sorted(sys.modules)))"


def test_a_process_without_litellm_loads_two_small_modules_and_no_more():
    stock = set(python(LOADED)[0].split())
    ours = set(python(LOADED, BOOTSTRAP)[0].split())
    # `sitecustomize` may exist without us, too.
    needed = {f"litellm_patch{name}" for name in ("", ".trigger", ".switch", "._version")}
    assert ours - stock - {"sitecustomize"} == needed


def test_switched_off_leaves_no_finder():
    finders = "import sys; print(sum('litellm_patch' in type(f).__module__ for f in sys.meta_path))"
    assert python(finders, BOOTSTRAP)[0] == "1"
    for word in ("off", "OFF", "0", "false", " no "):
        assert python(finders, BOOTSTRAP, LITELLM_PATCH=word)[0] == "0"


def test_the_users_own_sitecustomize_still_runs(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.theirs = __file__\n")
    program = "import sys; print(theirs == sys.modules['sitecustomize'].__file__)"
    assert python(program, BOOTSTRAP, str(tmp_path))[0] == "True"


def test_a_raising_sitecustomize_is_reported_by_python_and_the_patch_is_on(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("raise RuntimeError('theirs')\n")
    program = "import sys; print('litellm_patch' in sys.modules)"
    out, err = python(program, BOOTSTRAP, str(tmp_path))
    assert out == "True"
    assert "RuntimeError: theirs" in err


@pytest.mark.parametrize("options", [("-I",), ("-S",), ("-E",)])
def test_an_isolated_interpreter_is_left_alone(options):
    program = "import sys; print('litellm_patch' in sys.modules)"
    assert python(program, BOOTSTRAP, options=options)[0] == "False"


def test_an_interpreter_without_the_package_starts_silently(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            "import sys; sys.path.append(sys.argv[1]); import sitecustomize",
            BOOTSTRAP,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_other_finder_is_passed_over_when_litellm_is_sought(tmp_path):
    (tmp_path / "litellm.py").write_text("")
    program = (
        "import sys\n"
        "class Finder:\n"
        "    asked = []\n"
        "    def find_spec(self, name, path=None, target=None): self.asked.append(name)\n"
        "watch = [f for f in sys.meta_path if 'litellm_patch' in type(f).__module__][0]\n"
        "sys.meta_path.insert(sys.meta_path.index(watch) + 1, Finder())\n"
        "import litellm\n"
        "print('litellm' in Finder.asked)"
    )
    assert python(program, BOOTSTRAP, str(tmp_path))[0] == "True"


def test_a_missing_wrapt_is_said_once_and_litellm_is_imported(tmp_path):
    (tmp_path / "litellm.py").write_text("fine = True\n")
    (tmp_path / "wrapt.py").write_text("raise ImportError('no wrapt here')\n")
    out, err = python("import litellm; print(litellm.fine)", BOOTSTRAP, str(tmp_path))
    assert out == "True"
    assert err.count("litellm_patch: not active, LiteLLM is unchanged") == 1


def test_a_closed_stderr_is_no_reason_to_fail(tmp_path):
    (tmp_path / "litellm.py").write_text("fine = True\n")
    (tmp_path / "wrapt.py").write_text("raise ImportError('no wrapt here')\n")
    program = "import sys; sys.stderr = None; import litellm; print(litellm.fine)"
    assert python(program, BOOTSTRAP, str(tmp_path))[0] == "True"
