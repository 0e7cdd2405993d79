"""The answers of a LiteLLM that is patched in its source, in cases that tests/proxy does not have:
alone, and with the shim on top, which stands down.

The stand-in refuses with a ``Retry-After``, which LiteLLM takes as the deployment's cooldown.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import EXACT, LAUNCHER
from polling import until
from trees import make_whole_tree

from litellm_patch.seams.seam import OTHER_ROUTER
from litellm_patch.tools.lab.client import call, chat
from litellm_patch.tools.lab.cooling import CHAT, cool_down
from litellm_patch.tools.lab.proxy import Proxy, clean_environment, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in
from litellm_patch.tools.source.apply import apply

SLOW, FAST = 90, 30
COOLS = {"slow": SLOW, "fast": FAST, "slow-alone": SLOW}

REFUSED = b'{"error":{"message":"No deployments available'

# Lets one key reach only the deployments of a region.
AUTH = """
from litellm.proxy._types import UserAPIKeyAuth

async def auth(request, api_key):
    region = "eu" if "eu-key" in api_key else None
    return UserAPIKeyAuth(api_key=api_key, allowed_model_region=region)
"""


@pytest.fixture(scope="module")
def patched(tmp_path_factory):
    root = make_whole_tree(tmp_path_factory.mktemp("patched") / "tree")
    apply(root)
    return root


@pytest.fixture(scope="module", params=[[], LAUNCHER], ids=["alone", "with the shim"])
def proxy(patched: Path, request) -> Iterator[Proxy]:
    with running_stand_in() as stand_in:
        models = group("elsewhere", stand_in.url, ["us-a", "us-b"], region_name="us")
        for name, seconds in COOLS.items():
            deployments = [f"{name}-a", f"{name}-b"]
            models += group(name, stand_in.url, deployments)
            refuse = Refuse(headers={"Retry-After": str(seconds)})
            stand_in.refusals.update(dict.fromkeys(deployments, refuse))
        configuration = config(
            models,
            router_settings={"fallbacks": [{"slow": ["fast"]}], "enable_pre_call_checks": True},
            general_settings={"custom_auth": "own.auth"},
        )
        with running_proxy(
            configuration,
            launch=request.param,
            environment={"PYTHONPATH": str(patched), **EXACT},
            files={"own.py": AUTH},
        ) as proxy:
            for name in ("fast", "slow", "slow-alone"):
                cool_down(proxy, name)
            # Its fallback is not the only one that is cooling.
            until(lambda: chat(proxy, "slow").body.startswith(REFUSED))
            yield proxy


def test_a_group_whose_fallback_is_cooling_is_told_its_own_time_left(proxy):
    """LiteLLM does not link the fallback's refusal to it, so its sooner end is not known."""
    answer = chat(proxy, "slow")
    assert answer.status == 429
    assert answer.retry_after is not None
    assert 1 <= int(answer.retry_after) <= SLOW
    assert len(answer.all("retry-after-ms")) == 1


def test_nothing_of_ours_is_in_a_body_that_has_exceptions_in_it(proxy):
    answer = chat(proxy, "fast,slow-alone")
    assert answer.status == 200
    assert b'"cooldown_time":' in answer.body
    assert b"litellm_patch" not in answer.body


def test_no_wait_is_told_where_nothing_is_cooling(proxy):
    path, body, headers = CHAT.request("elsewhere")
    headers = {**proxy.headers, **headers, "authorization": "Bearer eu-key"}
    answer = call(proxy.url, path, body, headers)
    assert (answer.status, answer.retry_after) == (429, None)
    assert b"No deployments available" in answer.body


def test_every_seam_stands_down_and_says_why(patched):
    program = (
        "import litellm_patch, litellm, litellm.proxy.proxy_server\n"
        f"assert litellm.__file__.startswith({str(patched)!r}), litellm.__file__\n"
        "for seam in litellm_patch.status().seams: print('seam', seam.state, seam.reason)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**clean_environment(), "PYTHONPATH": str(patched)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = {line for line in done.stdout.splitlines() if line.startswith("seam ")}
    # Modules that this release does not have, or loads later, have nothing to stand down from.
    absent = (OTHER_ROUTER, "this release has no module", "seam waiting")
    assert {line for line in told if not any(why in line for why in absent)} == {
        "seam native source patch"
    }
