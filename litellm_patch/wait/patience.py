"""What a client is told of a wait: all of it, a first step of it, or that it is too long.

Clients differ in what they do with a long wait. Some ignore it and spend their retries at once,
some give up, and some sleep for the hours that they are told (tests/clients/TABLE.md has what 18
of them did). So none is told more than it acts on. What is longer than that, but not longer than
two retries reach, is told in steps: come back then, and be told the rest. What no retry reaches
is not told at all, and the client fails as soon as it would have without us.
"""

from __future__ import annotations

import math

HONOURED = 60.0
"""Seconds. openai-python to 2.51, openai-node 4, 5 and 7 and Vercel's AI SDK ignore a longer
wait, and Claude Code gives up."""

LESS = 0.001
"""Seconds. openai-node 4 and 5 and Vercel's AI SDK ignore 60 s themselves."""

STEP = 59 / 60
"""The part of what a client honours that it is told as a first step: a little less than all, so
that what is left for the second one is, too, when the client is late."""

RETRIES = 2
"""What the OpenAI, Anthropic and Vercel SDKs have by default."""

HOPELESS = 600.0
"""Seconds from which a client is told not to retry. The most patient client that takes it for an
answer, Claude Code, has given up by itself after three minutes; below this it may still be
served by its own backoff."""


def first_step(seconds: float, honoured: float = HONOURED) -> float | None:
    """Seconds that a client which must wait `seconds` is told, or None: nothing.

    Args:
        honoured: the longest wait that the client acts on, in seconds; infinite for any.
    """
    if seconds <= honoured:
        return min(seconds, honoured - LESS)
    step = honoured * STEP
    return step if seconds <= step * (RETRIES - 1) + honoured else None


def is_hopeless(seconds: float) -> bool:
    """Whether a client that is told nothing had better not retry at all."""
    return seconds >= HOPELESS and math.isfinite(seconds)
