"""A page of another origin may read what a refusal tells it.

A browser shows such a page only the headers that ``access-control-expose-headers`` names.
LiteLLM's CORS middleware, which is outside of every handler, writes the same names on each
answer, over what the answer itself had under that name in lower case. So ours is in capitals:
header names are compared without regard to case (RFC 9110 §5.1), and the values of several are one
list (§5.3).
"""

from __future__ import annotations

from typing import Any

from ...wait.headers import RETRY_AFTER, RETRY_AFTER_MS, SHOULD_RETRY

_NAME = b"Access-Control-Expose-Headers"


def expose_wait(answer: Any, request: Any, error: Exception) -> bool:
    """For `AfterHandler`."""
    return expose(answer, request)


def expose(answer: Any, request: Any) -> bool:
    """Let a page of another origin read the wait of a 429. Whether there was one to be read.

    Args:
        answer, request: of Starlette.
    """
    ours = (RETRY_AFTER, RETRY_AFTER_MS, SHOULD_RETRY)
    told = [name for name in ours if name in answer.headers]
    if answer.status_code != 429 or not told or "origin" not in request.headers:
        return False
    answer.raw_headers.append((_NAME, ", ".join(told).encode()))
    return True
