"""Add an exception handler to a Starlette or FastAPI app, also to one that is serving already."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Collection, Iterator
from types import FrameType
from typing import Any, Callable

from .seam import DoesNotFit

Handlers = dict[Any, Any]


class NoHandlerTable(DoesNotFit, TypeError):
    """The object has no table of exception handlers, so it is no Starlette app."""


def add_handlers(app: Any, handlers: Handlers) -> Callable[[], None]:
    """Let `handlers` answer exceptions of the classes that are their keys.

    Returns a function that removes them and restores the handlers that they replaced.

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

    Starlette looks a handler up by the classes of an exception. An exception that has a handler
    goes nowhere else: once a response has started, Starlette raises a RuntimeError instead of it.
    So a handler of `ValueError` would change errors that have nothing to do with the router. This
    key equals its class only while an exception that it stands for is being handled and no
    response has started. It is a class because Starlette checks its keys, and the condition is in
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
        except Exception:  # for example somebody else's error whose text cannot be read
            return False

    def __hash__(cls) -> int:
        return hash(cls.stands_for)


def only(kind: type[Exception], applies: Callable[[BaseException], bool]) -> OnlySome:
    """The key for those exceptions of `kind` to which `applies` applies."""
    names = {"stands_for": kind, "applies": staticmethod(applies)}
    return OnlySome(f"Some{kind.__name__}", (kind,), names)


def _response_started() -> bool:
    """Whether Starlette, which is looking for a handler, has started the response.

    Starlette keeps that in a local variable of the function that caught the exception.
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
    """The app's table of handlers, and the tables in a middleware stack that is already built.

    Starlette copies the app's table when it builds the stack, at the first call, so a handler
    that is registered later would never be called.
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
