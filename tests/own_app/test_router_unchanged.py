"""What the router itself does with its refusals is the same with the patch and without it."""

from __future__ import annotations

import litellm
from own_router import complete, patch, refusal

from litellm_patch.tools.lab.proxy import group
from litellm_patch.tools.lab.stand_in import Refuse, StandIn, running_stand_in

OURS = {f"_sa_litellm_patch_{name}" for name in ("cooling", "retry_after", "fallback_refusals")}
STEERING = ("headers", "response", "litellm_response_headers")
"""Attributes of an exception that make LiteLLM's router sleep, or cool a deployment down."""


def make_router(stand_in: StandIn) -> litellm.Router:
    """Retries and a fallback: everything that looks at an exception has its turn."""
    names = ("m", "spare")
    return litellm.Router(
        model_list=[e for n in names for e in group(n, stand_in.url, [f"{n}-1", f"{n}-2"])],
        fallbacks=[{"m": ["spare"]}],
        cooldown_time=600,
        num_retries=1,
        allowed_fails=0,
        retry_after=0,
    )


def outcomes() -> tuple[list[tuple[str, str]], list[int], list[set[str]]]:
    """Of five calls: what each ended with, the provider's requests, what was on the errors."""
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse(status=401)  # cools a deployment down, is not retried
        router = make_router(stand_in)
        ends, asked, attributes = [], [], []
        for _ in range(5):
            try:
                complete(router)
            except Exception as error:
                ends.append((type(error).__name__, str(getattr(error, "status_code", ""))))
                attributes.append(set(vars(error)))
            asked.append(len(stand_in.seen))
        return ends, asked, attributes


def test_calls_end_as_without_the_patch_and_ask_the_provider_as_often():
    with patch(on=False):
        stock = outcomes()
    with patch(on=True):
        patched = outcomes()
    assert stock[0][-1][0] == "RouterRateLimitError"
    assert patched[:2] == stock[:2]
    assert patched[2][-1] - stock[2][-1] == OURS


def test_the_refusal_has_no_attribute_that_steers_the_router():
    with patch(on=True):
        refused = refusal()
        assert refused.retry_after == refused.cooldown_time
        assert [name for name in STEERING if hasattr(refused, name)] == []
