"""Processes that a program starts: forked, spawned, isolated, and of another Python."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from fake_litellm import OWN_TABLE, ROOT, run

from litellm_patch.bootstrap import FOLDER


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
@pytest.mark.parametrize("before", [True, False], ids=["imported before", "imported in the child"])
def test_a_child_of_multiprocessing_has_it(fake_litellm, tmp_path, method, before):
    """Spawned children start from nothing: the environment must carry it to them."""
    (tmp_path / "own_table.py").write_text(OWN_TABLE)
    script = tmp_path / "script.py"
    script.write_text(
        "import multiprocessing as mp\n"
        + ("from own_table import state\nimport litellm.proxy.proxy_server\n" if before else "")
        + "def work(queue):\n"
        "    from own_table import state\n"
        "    import litellm.proxy.proxy_server\n"
        "    queue.put(state()[0])\n"
        "if __name__ == '__main__':\n"
        f"    context = mp.get_context({method!r})\n"
        "    queue = context.Queue()\n"
        "    worker = context.Process(target=work, args=(queue,)); worker.start()\n"
        "    print(queue.get(timeout=30)); worker.join()\n"
    )
    done = run(sys.executable, script, path=[FOLDER, tmp_path])
    assert done.stdout.strip() == "applied", done.stderr


def other_pythons() -> list[str]:
    """Interpreters of other versions on this machine."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = []
    for version in ["2.7", *(f"3.{minor}" for minor in range(6, 16))]:
        if version != "{}.{}".format(*sys.version_info):
            # Pyenv's own are better than the shims that it puts on PATH.
            there = [shutil.which(f"python{version}"), *pyenv.glob(f"{version}.*/bin/python")]
            found += [str(path) for path in there if path][-1:]
    return found


def says(python: str, folder: Path, program: str, *path: str) -> tuple[int, str, str]:
    # Python 2 writes bytecode beside the source, where the tests of the wheel find it.
    done = run(python, "-c", program, path=path, cwd=folder, PYTHONDONTWRITEBYTECODE="1")
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("finds_it", [False, True])
@pytest.mark.parametrize("python", other_pythons())
def test_another_python_below_says_nothing(python, finds_it, tmp_path):
    """It inherits PYTHONPATH, and has its own packages: litellm_patch is not among them, unless it
    is on the path as well, as in the recipe for Docker. Below 3.9 Python could not read it."""
    try:
        status, _, warnings = says(python, tmp_path, "pass")
        assert status == 0
    except (OSError, AssertionError):
        pytest.skip(f"{python} does not run here")
    path = [FOLDER, ROOT] if finds_it else [FOLDER]
    program = (
        f"import sys; print(('litellm_patch' in sys.modules)"
        f" == ({finds_it} and sys.version_info >= (3, 9)))"
    )
    assert says(python, tmp_path, program, *path) == (0, "True\n", warnings)


@pytest.mark.parametrize(
    "streams",
    ["sys.stderr = None", "sys.stdout = None", "sys.stderr = sys.stdout = None"]
    + ["import os; os.close(2); sys.stderr.close()"],
)
def test_without_output_streams_it_works(fake_litellm, streams):
    program = f"{OWN_TABLE}{streams}\nimport litellm.proxy.proxy_server\n"
    assert fake_litellm.run(program + "assert state()[0] == 'applied'\n").returncode == 0
