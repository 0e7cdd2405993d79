"""Attach to an exception handler of the proxy's app: it answers, then we look at its answer."""

from __future__ import annotations

import sys
from typing import Any, Callable

from ..log import failed
from .app_handlers import add_handlers, ask, own_table
from .seam import DoesNotFit, Seam, Undo

LookAtAnswer = Callable[[Any, Any, Exception], bool]
"""Called with the answer, the request and the exception; returns whether it was one for us."""


class AfterHandler:
    """Run `look` after each answer of the app's handler for a class of exceptions.

    LiteLLM's handler answers first, with exactly its arguments. If `look` fails, that is logged
    once and the answer stands.

    Args:
        kind: module and name of the class of exceptions.
    """

    def __init__(self, kind: tuple[str, str], look: LookAtAnswer) -> None:
        self._kind, self._look = kind, look

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        app = getattr(module, seam.attribute, None)
        error_class = loaded_class(*self._kind)
        original = own_table(app).get(error_class)
        if original is None:
            raise DoesNotFit(f"{seam.module}:{seam.attribute} handles no {error_class.__name__}")

        async def handler(request: Any, error: Exception) -> Any:
            answer = await ask(original, request, error)
            try:
                if self._look(answer, request, error):
                    reached()
            except Exception as problem:
                failed(f"seam {seam.name} failed, LiteLLM's own answer stands", problem)
            return answer

        return add_handlers(app, {error_class: handler})


def loaded_class(module: str, name: str) -> Any:
    """A class of a module that is loaded.

    Raises:
        DoesNotFit: there is no such class.
    """
    found = getattr(sys.modules.get(module), name, None)
    if not isinstance(found, type):
        raise DoesNotFit(f"{module} has no class {name}")
    return found
