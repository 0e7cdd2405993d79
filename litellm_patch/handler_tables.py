"""Add an exception handler to a Starlette or FastAPI app, also to one that is serving already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

Handlers = dict[Any, Any]


class NoHandlerTable(TypeError):
    """The object has no table of exception handlers, so it is no Starlette app."""


def add_handler(app: Any, kind: type[BaseException], handler: Any) -> Callable[[], None]:
    """Let `handler` answer exceptions of class `kind`; returns what takes it away again.

    Raises:
        NoHandlerTable: `app` is no Starlette app.
    """
    own = own_table(app)
    own[kind] = handler
    for table in _built_tables(app):
        table[kind] = handler

    def remove() -> None:
        for table in (own, *_built_tables(app)):
            if table.get(kind) is handler:
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
