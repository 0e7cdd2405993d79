"""The command line where wrapt is missing, as it may be where the wheel was only copied."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.fixture
def command(tmp_path):
    """Run ``litellm-patch`` in a Python that has no wrapt."""
    missing = "raise ModuleNotFoundError(\"No module named 'wrapt'\", name='wrapt')\n"
    (tmp_path / "wrapt.py").write_text(missing)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "litellm_patch", *arguments],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_run_starts_the_command_all_the_same(command):
    done = command("run", "--", sys.executable, "-c", "print('served')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "served\n", "")


def test_status_says_so_in_one_line(command):
    done = command("status")
    assert done.returncode == 1
    assert done.stderr == "litellm-patch: wrapt is missing, so the patch is never on here\n"


def test_the_help_lists_every_command(command):
    done = command("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("apply", "demo", "probe", "run", "status"))
    assert "--to DIR" in command("apply", "--help").stdout
