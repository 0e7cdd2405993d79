"""Run a command for its output, and for no longer than some seconds, whatever it starts."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence


def run_bounded(
    command: Sequence[str], environment: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a command, with what it starts in one process group, and capture what it says.

    Raises:
        subprocess.TimeoutExpired: after `seconds`. The group is killed, and not waited for:
            what left it may hold the pipes for ever.
    """
    process = subprocess.Popen(
        list(command),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except BaseException:
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except OSError:  # it ended by itself
            pass
        process.wait()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
