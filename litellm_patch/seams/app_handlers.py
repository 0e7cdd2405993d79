"""Add an exception handler to a Starlette or FastAPI app, also to one that is serving already."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Collection, Iterator
from types import FrameType
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
    for table in tables(app):
        table.update(handlers)

    def remove() -> None:
        for table in tables(app):
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


def has_own(table: Handlers, kinds: Collection[type], error: Exception) -> bool:
    """Whether somebody else's handler stands in `table` for the first of `kinds` of `error`."""
    kind = next((kind for kind in type(error).__mro__ if kind in kinds), None)
    return any(key is kind for key in table)  # a key of ours may equal it


async def answer_without(table: Handlers, request: Any, error: Exception) -> Any:
    """What an app does with `error` by those handlers in its table that are not ours."""
    for kind in type(error).__mro__:
        for key, handler in [*table.items()]:
            if key is kind and kind is not Exception:
                return await ask(handler, request, error)
    raise error  # as an unhandled one: Starlette keeps the handler of Exception for it


class OnlySome(type):
    """A key of handler tables that stands for some of the exceptions of a class.

    Starlette looks a handler up by the classes of an exception, and gives an exception for
    which there is one to nobody else: after the start of a response it raises a RuntimeError in
    its place. So a handler of `ValueError` would change errors that are none of the router's.
    This key equals its class only while an exception that it stands for is being handled, and
    no response was started. It is a class because Starlette checks its keys, and it has to be in
    the key because Starlette copies the tables.
    """

    stands_for: type[Exception]
    applies: Callable[[BaseException], bool]

    def __eq__(cls, other: object) -> bool:
        if cls is other:
            return True
        error = sys.exc_info()[1]
        if other is not cls.stands_for or error is None:
            return False
        try:
            return cls.applies(error) and not _response_started()
        except Exception:  # an error of somebody else's whose text cannot be read, say
            return False

    def __hash__(cls) -> int:
        return hash(cls.stands_for)


def only(kind: type[Exception], applies: Callable[[BaseException], bool]) -> OnlySome:
    """The key for those exceptions of `kind` to which `applies` applies."""
    names = {"stands_for": kind, "applies": staticmethod(applies)}
    return OnlySome(f"Some{kind.__name__}", (kind,), names)


def _response_started() -> bool:
    """What Starlette, which is looking for a handler, knows of the response.

    It keeps that in a local variable of the function that caught the exception.
    """
    frame: FrameType | None = sys._getframe(2)
    for _ in range(5):
        if frame is None:
            return False
        started = frame.f_locals.get("response_started")
        if started is not None:
            return bool(started)
        frame = frame.f_back
    return False


def tables(app: Any) -> Iterator[Handlers]:
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
