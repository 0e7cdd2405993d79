"""A page of another origin may read what a refusal tells it.

A browser shows such a page only the headers that ``access-control-expose-headers`` names.
LiteLLM's CORS middleware, which is outside of every handler, writes the same names on each
answer, over what the answer itself had under that name in lower case. So ours is in capitals:
header names are compared without regard to case (RFC 9110 §5.1), and the values of several are one
list (§5.3).
"""

from __future__ import annotations

from typing import Any, Callable

from ..handler_tables import add_handlers, ask
from ..report import failed
from ..wait.headers import RETRY_AFTER, RETRY_AFTER_MS, SHOULD_RETRY
from .proxy_app import loaded_class, table_of
from .seam import DoesNotFit, Seam, Undo

_NAME = b"Access-Control-Expose-Headers"


class ExposedHeaders:
    """Stand before the app's handler for `ProxyException`, and look at its 429 answers."""

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        app = getattr(module, seam.attribute, None)
        error_class = loaded_class("litellm.proxy._types", "ProxyException")
        original = table_of(app, seam).get(error_class)
        if original is None:
            raise DoesNotFit(f"{seam.module}:{seam.attribute} handles no ProxyException")

        async def handler(request: Any, error: Exception) -> Any:
            answer = await ask(original, request, error)
            try:
                if expose(answer, request):
                    reached()
            except Exception as problem:
                failed(f"seam {seam.name} failed, LiteLLM's own answer stands", problem)
            return answer

        return add_handlers(app, {error_class: handler})


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
