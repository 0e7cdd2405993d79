"""The proxy's app catches what an endpoint lets escape.

``/v1/audio/speech`` (up to 1.99) and Gemini's routes (1.77.7 to 1.83.14) do not convert the
router's refusal, so that it leaves them as a bare 500. A handler for the refusal itself
makes the 429 that it is, in the words of the proxy's own handler.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ..report import failed
from .seam import DoesNotFit, Seam, Undo

Handlers = dict[Any, Any]


class RefusalHandler:
    """Register an exception handler for `RouterRateLimitError` on the proxy's FastAPI app."""

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        app = getattr(module, seam.attribute, None)
        own = getattr(app, "exception_handlers", None)
        if not isinstance(own, dict):
            raise DoesNotFit(f"{seam.module}.{seam.attribute} has no table of exception handlers")
        refusal_class = _loaded("litellm.types.router", "RouterRateLimitError")
        error_class = _loaded("litellm.proxy._types", "ProxyException")
        _require_parameters(error_class, seam)
        if refusal_class in own:
            raise DoesNotFit("the app already has a handler for RouterRateLimitError")

        async def handler(request: Any, refusal: Exception) -> Any:
            try:
                reached()
                answer = own[error_class](request, _as_proxy_exception(error_class, refusal))
                return await answer if inspect.isawaitable(answer) else answer
            except Exception as error:
                failed(f"seam {seam.name} failed, the refusal goes on as without it", error)
            raise refusal

        own[refusal_class] = handler
        for table in _built_tables(app):
            table.setdefault(refusal_class, handler)

        def undo() -> None:
            for table in (own, *_built_tables(app)):
                if table.get(refusal_class) is handler:
                    del table[refusal_class]

        return undo


def _as_proxy_exception(error_class: Any, refusal: Exception) -> Any:
    """What LiteLLM's other endpoints make of the same refusal in the same release."""
    return error_class(
        message=str(refusal),
        type=getattr(refusal, "type", "None"),
        param=getattr(refusal, "param", "None"),
        code=429,
    )


def _built_tables(app: Any) -> Iterator[Handlers]:
    """The handler tables of a middleware stack that is already built.

    Starlette copies the app's table when the stack is built, at the first call, so a handler
    that is registered later would never be asked.
    """
    layer = getattr(app, "middleware_stack", None)
    for _ in range(100):  # a stack has a dozen layers; this only bounds a cycle
        if layer is None:
            return
        table = getattr(layer, "_exception_handlers", None)
        if isinstance(table, dict):
            yield table
        layer = getattr(layer, "app", None)


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
