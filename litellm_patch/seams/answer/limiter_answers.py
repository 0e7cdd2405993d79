"""What FastAPI answers to an `HTTPException` that LiteLLM raised is a valid 429.

LiteLLM's older limiters write fractions of seconds into ``Retry-After``, which urllib3 rejects
as an invalid header. Where an endpoint does not convert their `HTTPException`, FastAPI sends
that. And ``/v1/rag/query`` makes one of whatever happened, also of the router's refusal: a 500,
since 1.108.1 a 429 without the wait.
"""

from __future__ import annotations

from typing import Any

from ...wait.headers import RETRY_AFTER
from .exposed_headers import expose
from .telling import tell

SEAM = "proxy-app-http"


def say_valid_retry_after(answer: Any, request: Any, error: Any) -> bool:
    """Whether `answer` was made of a refusal; then it is a 429, with a valid ``Retry-After``."""
    status = getattr(answer, "status_code", None)
    if not isinstance(status, int) or not (status == 429 or status >= 500):
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
