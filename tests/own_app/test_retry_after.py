"""`litellm_patch.retry_after` in a wait function of tenacity, at a real router."""

from __future__ import annotations

import subprocess
import sys
import time

import litellm
import pytest
import readme

import litellm_patch
from litellm_patch.tools.lab.proxy import group
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

PROGRAM = """
import sys, time
import litellm_patch, litellm, tenacity

url = sys.argv[1]
router = litellm.Router(
    model_list=[
        {"model_name": "m", "litellm_params": {"model": model, "api_base": url, "api_key": "k"}}
        for model in ("openai/a", "openai/b")
    ],
    cooldown_time=3, num_retries=0, allowed_fails=0,
)

def wait_for_the_router(state):
    return litellm_patch.retry_after(state.outcome.exception()) or 0.3

waits = []
@tenacity.retry(
    wait=wait_for_the_router,
    stop=tenacity.stop_after_attempt(9),
    after=lambda state: waits.append(state.outcome.exception()),
)
def ask():
    return router.completion(model="m", messages=[{"role": "user", "content": "x"}])

try:
    ask()
except tenacity.RetryError:
    pass
refusals = [e for e in waits if type(e).__name__ == "RouterRateLimitError"]
print(len(refusals), all(0 < e.retry_after <= 3 for e in refusals))
print([litellm_patch.retry_after(e) for e in waits if e not in refusals])
"""


def test_tenacity_waits_as_long_as_the_router_says():
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, f"{stand_in.url}/v1"],
            capture_output=True,
            text=True,
            env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        first, second = done.stdout.strip().splitlines()[-2:]
        refused, told = first.split()
        assert int(refused) >= 1
        assert told == "True"
        # A provider's failure tells nothing.
        assert set(second.strip("[]").split(", ")) == {"None"}
        # Between the failures of one cooldown and those after it lies the cooldown.
        times = [seen.at for seen in stand_in.seen]
        assert max(b - a for a, b in zip(times, times[1:])) > 2.5


def test_the_readmes_example_waits_for_the_cooldown_and_is_served(monkeypatch):
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    (example,) = (b.text for b in readme.blocks(readme.page("own_app")) if "tenacity" in b.text)
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    with running_stand_in() as stand_in:
        router = litellm.Router(
            model_list=group("m", stand_in.url, ["a", "b"]),
            cooldown_time=3,
            num_retries=0,
            allowed_fails=0,
        )
        stand_in.refusals["*"] = Refuse()
        litellm_patch.activate()
        try:
            with pytest.raises(ValueError, match="No deployments available"):
                for _ in range(10):
                    try:
                        router.completion(model="m", messages=[{"role": "user", "content": "x"}])
                    except litellm.RateLimitError:
                        time.sleep(0.1)
            stand_in.refusals.clear()
            before = len(stand_in.seen)
            assert names["ask"](router).choices
        finally:
            litellm_patch.deactivate()
        assert len(stand_in.seen) == before + 1  # it asked once, when the cooldown was over
