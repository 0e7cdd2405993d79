"""Correct the answer that FastAPI makes of an `HTTPException` of LiteLLM's.

LiteLLM's older limiters write fractions of seconds into ``Retry-After``, which urllib3 rejects
as an invalid header. Where an endpoint does not convert their `HTTPException`, FastAPI sends it
unchanged. And ``/v1/rag/query`` turns every failure into an `HTTPException`, the router's refusal
too: a 500, since 1.108.1 a 429 without the wait.
"""

from __future__ import annotations

from typing import Any

from ...wait.headers import RETRY_AFTER
from .exposed_headers import expose
from .telling import tell

SEAM = "proxy-app-http"


def say_valid_retry_after(answer: Any, request: Any, error: Any) -> bool:
    """Make the answer to a refusal a 429 with a valid ``Retry-After``; whether it was one."""
    if answer.status_code != 429 and answer.status_code < 500:
        return False
    value = answer.headers.get(RETRY_AFTER)
    headers = {} if value is None else {RETRY_AFTER: value}
    told = tell(error, str(error.detail), headers, SEAM)
    if told is None:
        return False
    del answer.headers[RETRY_AFTER]
    answer.headers.update(told.headers)
    answer.status_code = 429
    expose(answer, request)
    return True
