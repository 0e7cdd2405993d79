"""The proxy's app answers refusals that an endpoint lets escape.

``/v1/audio/speech`` (up to 1.99) and Gemini's routes (1.77.7 to 1.83.14) do not convert the
router's refusals, so the client gets a bare 500. A handler for the refusals answers 429 instead,
through the proxy's own handler.
"""

from __future__ import annotations

from typing import Any, Callable

from ...log import failed
from ...wait.litellm_errors import is_own_refusal
from ..after_handler import loaded_class
from ..app_handlers import add_handlers, answer_without, ask, has_own, only, own_table
from ..seam import DoesNotFit, Seam, Undo, signature_with

_REFUSALS = (
    ("litellm.types.router", "RouterRateLimitError"),
    ("litellm.types.router", "RouterRateLimitErrorBasic"),
    # Of these two, only the router's own limits and budgets: see `OnlySome`.
    ("litellm.exceptions", "RateLimitError"),
    ("builtins", "ValueError"),
)


class RefusalHandler:
    """Register an exception handler for the router's refusals on the proxy's FastAPI app."""

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        app = getattr(module, seam.attribute, None)
        own = own_table(app)
        error_class = loaded_class("litellm.proxy._types", "ProxyException")
        signature_with("ProxyException", error_class.__init__, seam.parameters)
        classes = [loaded_class(*place) for place in _REFUSALS]
        if any(each in own for each in classes):
            raise DoesNotFit("the app already has a handler for a refusal of the router")

        async def handler(request: Any, refusal: Exception) -> Any:
            try:
                convert = own.get(error_class)
                # Without LiteLLM's handler, or on a WebSocket, ours does nothing.
                is_http = request.scope.get("type") == "http"
                if convert is not None and is_http and not has_own(own, classes, refusal):
                    reached()
                    return await ask(convert, request, _as_proxy_exception(error_class, refusal))
            except Exception as error:
                failed(f"seam {seam.name} failed, the refusal goes on as without it", error)
            return await answer_without(own, request, refusal)

        keys = [only(each, is_own_refusal) for each in classes]
        return add_handlers(app, dict.fromkeys(keys, handler))


def _as_proxy_exception(error_class: Any, refusal: Exception) -> Any:
    """The exception that LiteLLM's other endpoints make of the same refusal."""
    return error_class(
        message=str(refusal),
        type=getattr(refusal, "type", "None"),
        param=getattr(refusal, "param", "None"),
        code=429,
    )
