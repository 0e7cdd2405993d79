"""What a scripted server tells, to see what clients do with it before the patch tells it."""

from __future__ import annotations

from litellm_patch.wait.delay_seconds import delay_milliseconds, delay_seconds


def tell(seconds: float) -> dict[str, str]:
    return {"retry-after": delay_seconds(seconds), "retry-after-ms": delay_milliseconds(seconds)}


def nothing(left: float) -> dict[str, str]:
    return {}


def forbid(left: float) -> dict[str, str]:
    return {"x-should-retry": "false"}


def exact(left: float) -> dict[str, str]:
    return tell(left)


def step(most: float):
    def at_most(left: float) -> dict[str, str]:
        return tell(min(left, most))

    return at_most


POLICIES = {
    "nothing": nothing,
    "x-should-retry: false": forbid,
    "the time left": exact,
    "at most 60": step(60),
    "at most 59": step(59),
}
