"""`litellm_patch.retry_after` in a wait function of tenacity, at a real router."""

from __future__ import annotations

import readme
from own_router import cooling_router, patch


def test_the_readmes_example_waits_for_the_cooldown_and_is_served(stand_in):
    (example,) = (b.text for b in readme.blocks(readme.page("own_app")) if "tenacity" in b.text)
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    deployments = ["waited-a", "waited-b"]
    with patch(on=True):
        router = cooling_router(stand_in, deployments, cooldown=6)
        for each in deployments:
            stand_in.refusals.pop(each)
        assert names["ask"](router).choices
    # It was refused and then served: what it waits for by itself is less than the cooldown.
    assert names["ask"].statistics["attempt_number"] == 2
