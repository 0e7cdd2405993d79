"""Let a web page of another origin read the wait of a refusal.

A browser shows such a page only the headers that ``access-control-expose-headers`` lists.
LiteLLM's CORS middleware runs after every handler and overwrites that header on each answer if its
name is in lower case. So ours is capitalised: header names are case-insensitive (RFC 9110 §5.1),
and the values of repeated headers form one list (§5.3).
"""

from __future__ import annotations

from typing import Any

from ...wait.headers import WAIT_HEADERS

_NAME = b"Access-Control-Expose-Headers"


def expose(answer: Any, request: Any, error: object = None) -> bool:
    """Let a page of another origin read the wait of a 429; returns whether there was one.

    Args:
        answer, request: Starlette's.
    """
    told = [name for name in WAIT_HEADERS if name in answer.headers]
    if answer.status_code != 429 or not told or "origin" not in request.headers:
        return False
    answer.raw_headers.append((_NAME, ", ".join(told).encode()))
    return True
