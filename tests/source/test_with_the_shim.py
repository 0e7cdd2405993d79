"""A LiteLLM that is patched in its source: alone, and with the shim on top, which stands down."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from conftest import EXACT, LAUNCHER
from trees import make_whole_tree, site_packages

from litellm_patch.seams.seam import OTHER_ROUTER
from litellm_patch.tools.lab.client import chat
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import clean_environment, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in
from litellm_patch.tools.source.apply import apply

STATES = (
    "import litellm_patch, litellm, litellm.proxy.proxy_server\n"
    "assert litellm.__file__.startswith({there!r}), litellm.__file__\n"
    "for seam in litellm_patch.status().seams: print('seam', seam.state, seam.reason)"
)


@pytest.fixture(scope="module")
def patched(tmp_path_factory):
    root = make_whole_tree(tmp_path_factory.mktemp("patched") / "tree")
    apply(root)
    return root


def states(there, environment) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", STATES.format(there=str(there))],
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {line for line in done.stdout.splitlines() if line.startswith("seam ")}


def test_every_seam_stands_down_and_says_why(patched):
    # The modules of the router that this release does not have are not loaded at all.
    told = states(patched, {"PYTHONPATH": str(patched)}) - {f"seam native {OTHER_ROUTER}"}
    assert told == {"seam native source patch"}


def test_without_the_source_patch_no_seam_says_that():
    assert not any("source patch" in line for line in states(site_packages(), {}))


@pytest.mark.parametrize("launch", [[], LAUNCHER], ids=["alone", "with the shim"])
def test_a_429_tells_what_is_left(patched, launch):
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        models = group("m", stand_in.url, ["m-a", "m-b"])
        with running_proxy(
            config(models, router_settings={"cooldown_time": 60}),
            launch=launch,
            environment={"PYTHONPATH": str(patched), **EXACT},
        ) as proxy:
            cool_down(proxy, "m")
            first, from_, until = timed(proxy)
            time.sleep(3)
            second, from_2, until_2 = timed(proxy)
    assert first.status == second.status == 429
    passed = int(first.retry_after) - int(second.retry_after)
    assert from_2 - until - 1 <= passed <= until_2 - from_ + 1
    assert int(first.retry_after) <= 60
    for answer in (first, second):
        assert b"Try again in 60 seconds" in answer.body


def timed(proxy):
    """An answer, and when it was asked for and had."""
    asked = time.monotonic()
    return chat(proxy, "m"), asked, time.monotonic()
