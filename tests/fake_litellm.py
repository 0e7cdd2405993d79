"""A LiteLLM of a few lines, with a table of seams of its own, for tests of the machinery.

What is tested with it does not depend on what LiteLLM is or on which seams there are, and a
process of it starts in a tenth of a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import litellm_patch

ROOT = str(Path(litellm_patch.__file__).parents[1])

MODULES = {
    "litellm/__init__.py": "",
    "litellm/proxy/__init__.py": "",
    "litellm/proxy/_types.py": """
class Error(Exception):
    def __init__(self, message, code=429):
        self.message, self.code = message, code
""",
    "litellm/proxy/proxy_server.py": """
from litellm.proxy._types import Error
def serve(request):
    return f"served {request}"
""",
}

OWN_TABLE = """
import importlib, sys, threading
import litellm_patch.seams.table as table
from litellm_patch.seams.after_call import AfterCall
from litellm_patch.seams.seam import Seam, lacks
seen = []
def look(instance, arguments, result):
    seen.append(arguments["message"])
SEAM = Seam(
    name="error", module="litellm.proxy._types", attribute="Error.__init__",
    parameters=("message",), adds="", releases="", unnecessary_when="", joint=AfterCall(look),
)
table.SEAMS = (SEAM,)
def state(name="error"):
    import litellm_patch
    return {s.name: (s.state, s.reason) for s in litellm_patch.status().seams}[name]
"""
"""Put in front of a program: imports litellm_patch, and replaces its table by one seam."""


def run(
    *command: object, path: Sequence[object] = (), cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command with this PYTHONPATH, and no LITELLM_PATCH unless it is given."""
    inherited = {key: value for key, value in os.environ.items() if key != "LITELLM_PATCH"}
    inherited["PYTHONPATH"] = os.pathsep.join(map(str, path))
    return subprocess.run(
        list(map(str, command)),
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
    )


class Tree:
    """The folder that the fake LiteLLM is in. Write into it to make it differ."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for path, source in MODULES.items():
            self.write(path, source)

    def write(self, path: str, source: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)

    def run(
        self, program: str, options: Sequence[str] = (), **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that may import the tree and litellm_patch."""
        command = [sys.executable, *options, "-c", program]
        return run(*command, path=[self.folder, ROOT], **environment)

    def lines(self, program: str, **environment: str) -> list[str]:
        """The lines that a program prints, which must succeed."""
        done = self.run(program, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()
