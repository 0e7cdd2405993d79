"""Turned on when the proxy is there already: the line that says so, and strict, come last."""

from __future__ import annotations

import pytest
from fake_litellm import OWN_TABLE

from litellm_patch.switch import STRICT_EXIT

TABLE = OWN_TABLE + (
    "import dataclasses, os, time\n"
    "def seam(name, module): return dataclasses.replace(SEAM, name=name, module=module)\n"
    "table.SEAMS = (SEAM, seam('later', 'litellm.router'), seam('z', 'litellm.types.z'))\n"
)
CLASS = "class Error:\n    def __init__(self, message): pass\n"


@pytest.fixture
def tree(fake_litellm):
    """With a module of each kind that the table of seams has, before the proxy and after it."""
    for path in ("litellm/router.py", "litellm/types/z.py"):
        fake_litellm.write(path, CLASS)
    return fake_litellm


LOADED = (
    "import os; os.environ['LITELLM_PATCH'] = 'off'\n"
    + TABLE
    + (
        "import litellm.router, litellm.types.z, litellm.proxy.proxy_server\n"
        "os.environ['LITELLM_PATCH'] = WORD\n"
        "import litellm_patch; litellm_patch.activate()\n"
    )
)


def test_the_proof_line_counts_every_seam(tree):
    done = tree.run("WORD = 'on'\n" + LOADED)
    assert [line.rpartition(", ")[2] for line in done.stderr.splitlines()] == ["3/3 seams"]


def test_strict_judges_every_seam(tree):
    tree.write("litellm/types/z.py", "class Error: pass\n")
    done = tree.run("WORD = 'strict'\n" + LOADED)
    assert done.returncode == STRICT_EXIT
    assert "seam z skipped" in done.stderr


def test_what_is_half_imported_is_counted_when_it_is_whole(tree):
    tree.write("litellm/types/z.py", "import activated_here\n" + CLASS)
    tree.write(
        "activated_here.py",
        "import os; os.environ['LITELLM_PATCH'] = 'on'\n"
        "import litellm_patch; litellm_patch.activate()\n",
    )
    program = (
        "import os; os.environ['LITELLM_PATCH'] = 'off'\n"
        + TABLE
        + (
            "import litellm.router, litellm.proxy.proxy_server, litellm.types.z\n"
            "until = time.monotonic() + 20\n"
            "while state('z')[0] == 'waiting' and time.monotonic() < until: time.sleep(0.01)\n"
            "time.sleep(0.3)\n"
        )
    )
    done = tree.run(program)
    assert [line.rpartition(", ")[2] for line in done.stderr.splitlines()] == ["3/3 seams"]


def test_what_still_waits_is_named(tree):
    done = tree.run(TABLE + "import litellm.router, litellm.proxy.proxy_server\n")
    assert done.stderr.endswith("2/3 seams, waiting for their modules: z\n"), done.stderr
