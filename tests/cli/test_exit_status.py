"""The exit status of every command, as a number, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from fake_litellm import ROOT

from litellm_patch.tools.lab.proxy import free_port

NOWHERE = f"http://u:hunter2@127.0.0.1:{free_port()}"
PROBE = ("probe", "--model", "m")


@pytest.fixture
def command(tmp_path):
    """Run ``litellm-patch`` in a folder with a few files, where there is no ``litellm``."""
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "no.yaml").write_text("router_settings: [hunter2")
    (tmp_path / "list.yaml").write_text("- hunter2")
    (tmp_path / "never.yaml").write_text("router_settings: {disable_cooldowns: true}")
    (tmp_path / "none.yaml").write_text("router_settings: {cooldown_time: 5}")
    (tmp_path / "bin").mkdir()
    fails = tmp_path / "bin" / "litellm"
    fails.write_text("#!/no/such/python\n")
    fails.chmod(0o755)

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "litellm_patch", *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": ROOT,
                "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "LITELLM_API_KEY": "sk-hunter2",
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


WRONG = {
    "no command": (),
    "unknown command": ("prove",),
    "unknown option": ("status", "--loud"),
    "no URL": (*PROBE, "notaurl"),
    "no port": (*PROBE, "http://u:hunter2@h:x/"),
    "port 0": (*PROBE, "http://u:hunter2@h:0/"),
    "no host": (*PROBE, "http://"),
    "no http": (*PROBE, "ftp://u:hunter2@h"),
    "a space": (*PROBE, "http://127.0.0.1:1/hunter2 x"),
    "unknown kind": (*PROBE, "http://h", "--kind", "x"),
    "no such file": ("verify", "--config", "missing.yaml"),
    "a folder": ("verify", "--config", "."),
    "an empty file": ("verify", "--config", "empty.yaml"),
    "no YAML": ("verify", "--config", "no.yaml"),
    "no mapping": ("verify", "--config", "list.yaml"),
    "no seconds": ("demo", "--cooldown", "x"),
    "no tree": ("apply", "--to", "missing"),
    "run nothing": ("run", "--"),
}
NOTHING = {
    "not reached": (*PROBE, NOWHERE),
    "not reached, as JSON": (*PROBE, NOWHERE, "--json"),
    "no such host": (*PROBE, "http://u:hunter2@no-such-host.invalid"),
    "nothing cools": ("verify", "--config", "never.yaml"),
    "proxy does not start": ("verify", "--config", "none.yaml"),
    "cannot be asked": ("status",),
}
BAD = {
    "no patch for it": ("diff", "0.0.1"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_usage_is_2(command, what):
    check(command(*WRONG[what]), 2)


@pytest.mark.parametrize("key", ["sk-hunter2\nx", "sk-hunter2\u20ac"])
def test_a_key_that_is_none_is_2(command, key):
    check(command(*PROBE, NOWHERE, LITELLM_API_KEY=key), 2)


@pytest.mark.parametrize("what", NOTHING)
def test_nothing_proven_is_3(command, what):
    check(command(*NOTHING[what]), 3)


@pytest.mark.parametrize("what", BAD)
def test_a_bad_answer_is_1(command, what):
    check(command(*BAD[what]), 1)


def test_a_defect_of_ours_is_no_answer(command, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text(
        "import litellm_patch.tools.lab.client as client\n"
        "def call(*arguments): raise SystemError('hunter2')\n"
        "import litellm_patch.tools.survey.survey as survey\n"
        "survey.console_script = call\n"
    )
    done = command("status", PYTHONPATH=os.pathsep.join([str(own), ROOT]))
    check(done, 3)
    assert "SystemError in sitecustomize.py:2" in done.stderr


def check(done: subprocess.CompletedProcess[str], status: int) -> None:
    said = done.stdout + done.stderr
    assert done.returncode == status, said
    assert said.strip()
    assert "hunter2" not in said
    assert "Traceback" not in said


def test_a_file_that_cannot_be_opened_is_told_with_what_to_do(command):
    done = command("verify", "--config", "missing.yaml")
    assert done.stderr == "verify: --config: missing.yaml: No such file or directory\n"
