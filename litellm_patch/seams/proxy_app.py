"""The proxy's app catches what an endpoint lets escape.

``/v1/audio/speech`` (up to 1.99) and Gemini's routes (1.77.7 to 1.83.14) do not convert the
router's refusal, so that it leaves them as a bare 500. A handler for the refusal itself
makes the 429 that it is, in the words of the proxy's own handler.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ..wait.exception_chain import is_cooldown_refusal
from ..wait.headers import RETRY_AFTER, with_retry_after
from ..wait.limits import find_limit, is_own_limit
from .seam import DoesNotFit, Seam, Undo

Handlers = dict[Any, Any]


_REFUSALS = (
    ("litellm.types.router", "RouterRateLimitError"),
    ("litellm.types.router", "RouterRateLimitErrorBasic"),
    ("litellm.exceptions", "RateLimitError"),  # the router's own limits only
)


class RefusalHandler:
    """Register an exception handler for the router's refusals on the proxy's FastAPI app."""

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        app = getattr(module, seam.attribute, None)
        own = getattr(app, "exception_handlers", None)
        if not isinstance(own, dict):
            raise DoesNotFit(f"{seam.module}.{seam.attribute} has no table of exception handlers")
        error_class = _loaded("litellm.proxy._types", "ProxyException")
        _require_parameters(error_class, seam)
        classes = [_loaded(*place) for place in _REFUSALS]
        if any(each in own for each in classes):
            raise DoesNotFit("the app already has a handler for a refusal of the router")

        async def handler(request: Any, refusal: Exception) -> Any:
            convert = own.get(error_class)
            if convert is None or not (is_cooldown_refusal(refusal) or is_own_limit(refusal)):
                return await _without_us(own, classes, request, refusal)
            reached()
            return await _call(convert, request, _as_proxy_exception(error_class, refusal))

        return _register(app, dict.fromkeys(classes, handler))


class ValidRetryAfter:
    """Have FastAPI's own answer to an `HTTPException` carry a valid ``Retry-After``.

    LiteLLM's limiters write fractions of seconds into it, and where an endpoint does not
    convert their exception, FastAPI sends that.
    """

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        app = getattr(module, seam.attribute, None)
        own = getattr(app, "exception_handlers", None)
        http_class = _loaded("starlette.exceptions", "HTTPException")
        if not isinstance(own, dict) or http_class not in own:
            raise DoesNotFit(f"{seam.module}.{seam.attribute} handles no HTTPException")
        original = own[http_class]

        async def handler(request: Any, error: Exception) -> Any:
            answer = await _call(original, request, error)
            if getattr(answer, "status_code", None) == 429:
                limit = find_limit(error, "", time.time())
                value = answer.headers.get(RETRY_AFTER)
                if limit is not None and limit.seconds is not None and value is not None:
                    reached()
                    answer.headers.update(with_retry_after({RETRY_AFTER: value}, limit))
            return answer

        return _register(app, {http_class: handler})


def _register(app: Any, handlers: Handlers) -> Undo:
    """Put `handlers` into the app's table, and into those that were copied from it."""
    tables = [(table, {**table}) for table in (app.exception_handlers, *_built_tables(app))]
    for table, _ in tables:
        table.update(handlers)

    def undo() -> None:
        before = tables[0][1]
        for table in (app.exception_handlers, *_built_tables(app)):
            for kind, handler in handlers.items():
                if table.get(kind) is not handler:
                    continue
                if kind in before:
                    table[kind] = before[kind]
                else:
                    del table[kind]

    return undo


async def _without_us(own: Handlers, ours: list[Any], request: Any, error: Exception) -> Any:
    """What the app does with `error` where no handler of ours stands in the table."""
    for kind in type(error).__mro__:
        if kind in own and kind not in ours and kind is not Exception:
            return await _call(own[kind], request, error)
    raise error  # as an unhandled one: Starlette keeps the handler of Exception for it


async def _call(handler: Any, request: Any, error: Exception) -> Any:
    answer = handler(request, error)
    return await answer if inspect.isawaitable(answer) else answer


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
