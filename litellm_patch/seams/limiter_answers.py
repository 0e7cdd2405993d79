"""What FastAPI answers to an `HTTPException` that LiteLLM raised is a valid 429.

LiteLLM's older limiters write fractions of seconds into ``Retry-After``, which urllib3 rejects
as an invalid header. Where an endpoint does not convert their `HTTPException`, FastAPI sends
that. And ``/v1/rag/query`` makes one of whatever happened, also of the router's refusal: a 500,
since 1.108.1 a 429 without the wait.
"""

from __future__ import annotations

from typing import Any, Callable

from ..handler_tables import add_handlers, ask
from ..report import failed
from ..wait.headers import RETRY_AFTER
from .exposed_headers import expose
from .proxy_app import loaded_class, table_of
from .seam import DoesNotFit, Seam, Undo
from .telling import tell


class ValidRetryAfter:
    """Stand before the app's handler for `HTTPException`, and look at its 429 and 5xx answers."""

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        app = getattr(module, seam.attribute, None)
        http_class = loaded_class("starlette.exceptions", "HTTPException")
        original = table_of(app, seam).get(http_class)
        if original is None:
            raise DoesNotFit(f"{seam.module}:{seam.attribute} handles no HTTPException")

        async def handler(request: Any, error: Exception) -> Any:
            answer = await ask(original, request, error)
            try:
                if _tell(answer, error, seam.name):
                    reached()
                    expose(answer, request)
            except Exception as problem:
                failed(f"seam {seam.name} failed, LiteLLM's own answer stands", problem)
            return answer

        return add_handlers(app, {http_class: handler})


def _tell(answer: Any, error: Any, seam: str) -> bool:
    """Whether `answer` was made of a refusal; then it is a 429, with a valid ``Retry-After``."""
    status = getattr(answer, "status_code", None)
    if not isinstance(status, int) or not (status == 429 or status >= 500):
        return False
    value = answer.headers.get(RETRY_AFTER)
    headers = {} if value is None else {RETRY_AFTER: value}
    told = tell(error, str(error.detail), headers, seam)
    if told is None:
        return False
    del answer.headers[RETRY_AFTER]
    answer.headers.update(told.headers)
    answer.status_code = 429
    return True
