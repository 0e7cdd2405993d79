"""The exit status of every command, as a number, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

import pytest
from fake_litellm import ROOT, run

NOWHERE = "http://u:hunter2@127.0.0.1:1"  # nobody listens there
PROBE = ("probe", "--model", "m")


@pytest.fixture
def command(tmp_path):
    """Run ``litellm-patch`` in a folder with a ``litellm`` that cannot be started."""
    (tmp_path / "none.yaml").write_text("router_settings: {cooldown_time: 5}")
    (tmp_path / "bin").mkdir()
    fails = tmp_path / "bin" / "litellm"
    fails.write_text("#!/no/such/python\n")
    fails.chmod(0o755)
    path = f"{fails.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "LITELLM_API_KEY": "sk-hunter2"}
    ours = [sys.executable, "-m", "litellm_patch"]
    return partial(run, *ours, path=[ROOT], cwd=tmp_path, **environment)


CALLS = [
    # wrong usage
    ((), 2),
    (("prove",), 2),
    (("status", "--loud"), 2),
    ((*PROBE, "notaurl"), 2),
    ((*PROBE, "http://u:hunter2@h:x/"), 2),
    ((*PROBE, "http://u:hunter2@h:0/"), 2),
    ((*PROBE, "http://"), 2),
    ((*PROBE, "ftp://u:hunter2@h"), 2),
    ((*PROBE, "http://127.0.0.1:1/hunter2 x"), 2),
    ((*PROBE, "http://h", "--kind", "x"), 2),
    (("verify", "--config", "missing.yaml"), 2),
    (("apply", "--to", "missing"), 2),
    (("run", "--"), 2),
    # nothing proven
    ((*PROBE, NOWHERE), 3),
    ((*PROBE, NOWHERE, "--json"), 3),
    ((*PROBE, "http://u:hunter2@no-such-host.invalid"), 3),
    (("verify", "--config", "none.yaml"), 3),
    (("status",), 3),
    # a bad answer
    (("diff", "0.0.1"), 1),
]


@pytest.mark.parametrize("arguments, status", CALLS, ids=str)
def test_the_exit_status_tells_an_answer_from_none(command, arguments, status):
    check(command(*arguments), status)


def test_a_defect_of_ours_is_no_answer(command, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text(
        "import litellm_patch.tools.lab.client as client\n"
        "def call(*arguments): raise SystemError('hunter2')\n"
        "import litellm_patch.tools.survey.survey as survey\n"
        "survey.console_script = call\n"
    )
    done = command("status", path=[own, ROOT])
    check(done, 3)
    assert "SystemError in sitecustomize.py:2" in done.stderr


def check(done: subprocess.CompletedProcess[str], status: int) -> None:
    said = done.stdout + done.stderr
    assert done.returncode == status, said
    assert said.strip()
    assert "hunter2" not in said
    assert "Traceback" not in said


@pytest.fixture
def without_wrapt(command, tmp_path):
    """`command` in a Python that has no wrapt, as where the wheel was only copied."""
    missing = "raise ModuleNotFoundError(\"No module named 'wrapt'\", name='wrapt')\n"
    (tmp_path / "wrapt.py").write_text(missing)
    return partial(command, path=[tmp_path, ROOT])


def test_without_wrapt_run_starts_the_command_and_status_says_so(without_wrapt):
    done = without_wrapt("run", "--", sys.executable, "-c", "print('served')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "served\n", "")
    done = without_wrapt("status")
    assert done.returncode == 1
    assert done.stderr == "litellm-patch: wrapt is missing, so the patch is never on here\n"
    assert "--to DIR" in without_wrapt("apply", "--help").stdout
