"""The proxy's app catches what an endpoint lets escape.

``/v1/audio/speech`` (up to 1.99) and Gemini's routes (1.77.7 to 1.83.14) do not convert the
router's refusal, so that it leaves them as a bare 500. A handler for the refusal itself
makes the 429 that it is, in the words of the proxy's own handler.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Any, Callable

from ..handler_tables import NoHandlerTable, add_handler, own_table
from ..report import failed
from .seam import DoesNotFit, Seam, Undo


class RefusalHandler:
    """Register an exception handler for `RouterRateLimitError` on the proxy's FastAPI app."""

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        app = getattr(module, seam.attribute, None)
        try:
            own = own_table(app)
        except NoHandlerTable as error:
            raise DoesNotFit(f"{seam.module}:{seam.attribute}: {error}") from error
        refusal_class = _loaded("litellm.types.router", "RouterRateLimitError")
        error_class = _loaded("litellm.proxy._types", "ProxyException")
        _require_parameters(error_class, seam)
        if refusal_class in own:
            raise DoesNotFit("the app already has a handler for RouterRateLimitError")

        async def handler(request: Any, refusal: Exception) -> Any:
            try:
                convert = own.get(error_class)
                # Without LiteLLM's handler, or on a WebSocket: as if ours were not there.
                if convert is not None and request.scope.get("type") == "http":
                    reached()
                    answer = convert(request, _as_proxy_exception(error_class, refusal))
                    return await answer if inspect.isawaitable(answer) else answer
            except Exception as error:
                failed(f"seam {seam.name} failed, the refusal goes on as without it", error)
            raise refusal

        return add_handler(app, refusal_class, handler)


def _as_proxy_exception(error_class: Any, refusal: Exception) -> Any:
    """What LiteLLM's other endpoints make of the same refusal in the same release."""
    return error_class(
        message=str(refusal),
        type=getattr(refusal, "type", "None"),
        param=getattr(refusal, "param", "None"),
        code=429,
    )


def _require_parameters(error_class: Any, seam: Seam) -> None:
    known: Mapping[str, Any] = inspect.signature(error_class.__init__).parameters
    missing = [name for name in seam.parameters if name not in known]
    if missing:
        raise DoesNotFit(f"ProxyException has no parameter {', '.join(missing)}")


def _loaded(module: str, name: str) -> Any:
    found = getattr(sys.modules.get(module), name, None)
    if not isinstance(found, type):
        raise DoesNotFit(f"{module} has no class {name}")
    return found
