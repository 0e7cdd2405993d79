"""How much of a wait a client is told: all of it, a first step, or nothing.

Clients react differently to a long wait. Some ignore it and spend their retries at once, some give
up, and some sleep for hours if told to (tests/clients/TABLE.md shows what 18 of them did). So no
client is told more than it acts on. A longer wait is told in steps if two retries reach its end:
the client comes back after the first step and is told the rest. If no retry reaches the end,
nothing is told, and the client fails as soon as it would have without the patch.
"""

from __future__ import annotations

HONOURED = 60.0
"""Seconds. openai-python to 2.51, openai-node 4, 5 and 7 and Vercel's AI SDK ignore a longer
wait, and Claude Code gives up."""

LESS = 0.001
"""Seconds. openai-node 4 and 5 and Vercel's AI SDK ignore 60 s themselves."""

STEP = 59 / 60
"""The first step as a part of the longest wait that the client honours. It is a little less than
all, so that the second step is short enough even if the client is late."""

RETRIES = 2
"""The default of the OpenAI, Anthropic and Vercel SDKs."""

HOPELESS = 600.0
"""Seconds from which a client is told not to retry. The most patient client that obeys, Claude
Code, gives up by itself after three minutes; for shorter waits its own backoff may succeed."""


def first_step(seconds: float, honoured: float = HONOURED) -> float | None:
    """The seconds that a client is told if it must wait `seconds`; None for nothing.

    Args:
        honoured: the longest wait that the client acts on, in seconds; infinite for any.
    """
    if seconds <= honoured:
        return min(seconds, honoured - LESS)
    step = honoured * STEP
    return step if seconds <= step * (RETRIES - 1) + honoured else None
