"""A real router of a program of one's own, in front of the stand-in."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import litellm
import pytest
from litellm.types.router import RouterRateLimitError

import litellm_patch
from litellm_patch.tools.lab.proxy import group
from litellm_patch.tools.lab.stand_in import Refuse, StandIn


def complete(router: litellm.Router) -> object:
    return router.completion(model="m", messages=[{"role": "user", "content": "x"}])


def cooling_router(stand_in: StandIn, names: Sequence[str], cooldown: int) -> litellm.Router:
    """One whose only model group has just begun to cool down, for so many seconds."""
    stand_in.refusals.update(dict.fromkeys(names, Refuse()))
    router = litellm.Router(
        model_list=group("m", stand_in.url, names),
        cooldown_time=cooldown,
        num_retries=0,
        allowed_fails=0,
    )
    with pytest.raises(ValueError, match="No deployments available"):
        for _ in range(10):
            try:
                complete(router)
            except litellm.RateLimitError:
                time.sleep(0.1)  # LiteLLM books the failure behind the answer
    return router


def refusal() -> RouterRateLimitError:
    """What such a router raises."""
    return RouterRateLimitError(
        model="m", cooldown_time=9, enable_pre_call_checks=False, cooldown_list=[]
    )


@contextmanager
def patch(on: bool) -> Iterator[None]:
    """It is off afterwards. (It comes on where litellm is imported after litellm_patch.)"""
    litellm_patch.activate() if on else litellm_patch.deactivate()
    try:
        yield
    finally:
        litellm_patch.deactivate()
