"""FastAPI's own answer to a limiter's exception carries a ``Retry-After`` that is valid.

LiteLLM's older limiters write fractions of seconds into it, which urllib3 rejects as an
invalid header. Where an endpoint does not convert their `HTTPException`, FastAPI sends that.
"""

from __future__ import annotations

import time
from typing import Any, Callable

from ..handler_tables import add_handlers, ask
from ..report import failed
from ..wait.headers import RETRY_AFTER, with_retry_after
from ..wait.limits import find_limit
from .proxy_app import loaded_class, table_of
from .seam import DoesNotFit, Seam, Undo


class ValidRetryAfter:
    """Stand before the app's handler for `HTTPException`, and look at its 429 answers."""

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        app = getattr(module, seam.attribute, None)
        http_class = loaded_class("starlette.exceptions", "HTTPException")
        original = table_of(app, seam).get(http_class)
        if original is None:
            raise DoesNotFit(f"{seam.module}:{seam.attribute} handles no HTTPException")

        async def handler(request: Any, error: Exception) -> Any:
            answer = await ask(original, request, error)
            try:
                if getattr(answer, "status_code", None) == 429 and _make_valid(answer, error):
                    reached()
            except Exception as problem:
                failed(f"seam {seam.name} failed, LiteLLM's own answer stands", problem)
            return answer

        return add_handlers(app, {http_class: handler})


def _make_valid(answer: Any, error: Exception) -> bool:
    """Whether `answer` has a ``Retry-After``, which is then valid."""
    limit = find_limit(error, "", time.time())
    value = answer.headers.get(RETRY_AFTER)
    if limit is None or limit.seconds is None or value is None:
        return False
    answer.headers.update(with_retry_after({RETRY_AFTER: value}, limit))
    return True
