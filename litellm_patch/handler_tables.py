"""Add an exception handler to a Starlette or FastAPI app, also to one that is serving already."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator
from typing import Any, Callable

Handlers = dict[Any, Any]


class NoHandlerTable(TypeError):
    """The object has no table of exception handlers, so it is no Starlette app."""


def add_handlers(app: Any, handlers: Handlers) -> Callable[[], None]:
    """Let `handlers` answer exceptions of the classes that are their keys.

    Returns what takes them away again, and puts back what stood in their place.

    Raises:
        NoHandlerTable: `app` is no Starlette app.
    """
    before = dict(own_table(app))
    for table in _tables(app):
        table.update(handlers)

    def remove() -> None:
        for table in _tables(app):
            for kind, handler in handlers.items():
                if table.get(kind) is not handler:
                    continue
                if kind in before:
                    table[kind] = before[kind]
                else:
                    del table[kind]

    return remove


def own_table(app: Any) -> Handlers:
    """The app's table of handlers, by exception class or status.

    Raises:
        NoHandlerTable: `app` is no Starlette app.
    """
    table = getattr(app, "exception_handlers", None)
    if not isinstance(table, dict):
        raise NoHandlerTable(f"{type(app).__name__} has no table of exception handlers")
    return table


async def ask(handler: Any, request: Any, error: Exception) -> Any:
    """The answer of an exception handler, which may be a coroutine function or not."""
    answer = handler(request, error)
    return await answer if inspect.isawaitable(answer) else answer


async def answer_without(
    ours: Collection[Any], own: Handlers, request: Any, error: Exception
) -> Any:
    """What an app does with `error` if its table `own` has no handler for the classes `ours`."""
    for kind in type(error).__mro__:
        if kind in own and kind not in ours and kind is not Exception:
            return await ask(own[kind], request, error)
    raise error  # as an unhandled one: Starlette keeps the handler of Exception for it


def _tables(app: Any) -> Iterator[Handlers]:
    """The app's table of handlers, and those in a middleware stack that is already built.

    Starlette copies the app's table when the stack is built, at the first call, so a handler
    that is registered later would never be asked.
    """
    yield own_table(app)
    layer = getattr(app, "middleware_stack", None)
    for _ in range(100):  # a stack has a dozen layers; this only bounds a cycle
        if layer is None:
            return
        table = getattr(layer, "_exception_handlers", None)
        if isinstance(table, dict):
            yield table
        layer = getattr(layer, "app", None)
