"""Processes that a program starts: forked, spawned, isolated, and of another Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from fake_litellm import OWN_TABLE

from litellm_patch.bootstrap import FOLDER, with_patch


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
    environment = with_patch({**os.environ, "PYTHONPATH": str(tmp_path)})
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "applied", done.stderr


def other_pythons() -> list[str]:
    """Interpreters of other versions on this machine."""
    found = {}
    for minor in range(6, 16):
        program = shutil.which(f"python3.{minor}")
        roots = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
        for path in [*([Path(program)] if program else []), *roots.glob(f"3.{minor}.*/bin/python")]:
            if minor != sys.version_info[1]:
                found[f"3.{minor}"] = str(path)
    for path in Path.home().glob(".pyenv/versions/2.7*/bin/python"):
        found["2.7"] = str(path)
    return [found[name] for name in sorted(found)] or ["none"]


@pytest.mark.parametrize("python", other_pythons())
def test_another_python_below_does_nothing_and_says_nothing(python, tmp_path):
    """It inherits PYTHONPATH, and has its own packages: litellm_patch is not among them."""
    if python == "none":
        pytest.skip("no Python of another version here")
    program = "import sys; print('litellm_patch' in sys.modules)"
    # Python 2 writes bytecode beside the source, where the tests of the wheel find it.
    environment = {**os.environ, "PYTHONPATH": FOLDER, "PYTHONDONTWRITEBYTECODE": "1"}
    alone = [python, "-c", program]
    stock = subprocess.run(alone, capture_output=True, text=True, cwd=tmp_path)
    if stock.returncode:
        pytest.skip(f"{python} does not run here")
    done = subprocess.run(alone, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", stock.stderr)


@pytest.mark.parametrize("python", other_pythons())
def test_another_python_that_finds_the_package_says_nothing(python, tmp_path):
    """As in the recipe for Docker, where the package is on the path as well. One that is older
    than 3.9 could not read it."""
    program = "import sys; print(sys.version_info < (3, 9) or 'litellm_patch' in sys.modules)"
    path = os.pathsep.join([FOLDER, str(Path(FOLDER).parents[1])])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    alone = [python, "-c", program]
    try:
        stock = subprocess.run(alone, capture_output=True, text=True, cwd=tmp_path)
        assert stock.returncode == 0
    except (OSError, AssertionError):
        pytest.skip(f"{python} does not run here")
    done = subprocess.run(alone, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", stock.stderr)


def test_another_environment_of_this_python_does_nothing_and_says_nothing(tmp_path):
    """Same version, other packages: what a worker of another tool is."""
    venv.create(tmp_path / "other", with_pip=False, symlinks=True)
    python = str(tmp_path / "other" / "bin" / "python")
    program = "import sys; print('litellm_patch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": FOLDER}
    command = [python, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")


@pytest.mark.parametrize("stream", ["stderr", "stdout", "both"])
def test_without_output_streams_it_works(fake_litellm, stream):
    streams = ["stderr", "stdout"] if stream == "both" else [stream]
    program = (
        OWN_TABLE
        + "".join(f"sys.{name} = None\n" for name in streams)
        + ("import litellm.proxy.proxy_server\nassert state()[0] == 'applied'\n")
    )
    assert fake_litellm.run(program).returncode == 0


def test_with_closed_streams_it_works(fake_litellm):
    program = OWN_TABLE + (
        "import os; os.close(2); sys.stderr.close()\n"
        "import litellm.proxy.proxy_server\nassert state()[0] == 'applied'\n"
    )
    assert fake_litellm.run(program).returncode == 0
