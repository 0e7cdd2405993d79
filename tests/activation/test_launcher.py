"""``litellm-patch run``: it becomes the command. No LiteLLM is needed for that."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from fake_litellm import ROOT, run

from litellm_patch.bootstrap import FOLDER, LAUNCH_WITH_PATCH, with_patch


def test_arguments_reach_the_command_as_they_are():
    odd = ["--config", "a b", "", "$HOME", "*", "--", "-x;y"]
    show = "import json,sys; print(json.dumps(sys.argv[1:]))"
    done = run(*LAUNCH_WITH_PATCH, sys.executable, "-c", show, *odd, path=[ROOT])
    assert json.loads(done.stdout) == odd


def test_the_process_is_the_commands_with_its_signals_and_its_exit_status():
    program = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *a: sys.exit(7))\n"
        "print(os.getpid(), os.getppid(), flush=True)\n"
        "time.sleep(30)"
    )
    command = [*LAUNCH_WITH_PATCH, sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        own, above = map(int, process.stdout.readline().split())
        assert (own, above) == (process.pid, os.getpid())
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 7


def test_an_existing_pythonpath_is_kept_behind_ours():
    path = os.pathsep.join([FOLDER, "/a", "/b"])
    assert with_patch({"PYTHONPATH": os.pathsep.join(["/a", "/b"])}) == {"PYTHONPATH": path}
    assert with_patch(with_patch({})) == {"PYTHONPATH": FOLDER}


@pytest.mark.parametrize("path", [":/a", "/a:", "/a::/b", ":", "::"])
def test_an_empty_entry_of_the_path_stays_the_current_folder(path, tmp_path):
    (tmp_path / "only_here.py").write_text("")
    program = "import sys; del sys.path[0]; import only_here"
    command = [*LAUNCH_WITH_PATCH, sys.executable, "-c", program]
    done = run(*command, cwd=tmp_path, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "command, status, words",
    [
        ([], 2, "no command"),
        (["no-such-program-here"], 127, "no such command"),
        (["./program"], 126, "cannot run"),
    ],
)
def test_a_wrong_call_is_told_clearly(command, status, words, tmp_path):
    (tmp_path / "program").write_bytes(b"\x7fELF not really")
    (tmp_path / "program").chmod(0o755)
    done = run(*LAUNCH_WITH_PATCH, *command, cwd=tmp_path, path=[ROOT])
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
