"""Attach to a function of LiteLLM: let it run first, then look at what it did."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import Any, Callable

import wrapt

from ..report import once
from .seam import DoesNotFit, Seam, Undo

Look = Callable[[object, Mapping[str, Any], object], None]
"""Called with the instance, the arguments by name, and the result of LiteLLM's function."""


class AfterCall:
    """Run `look` after each call of the seam's function; never in its place.

    LiteLLM's function is called first, with exactly its arguments, and its result or
    exception is what the caller gets. A failure of ours is reported once and forgotten.
    """

    def __init__(self, look: Look) -> None:
        self._look = look

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        try:
            parent, name, original = wrapt.resolve_path(module, seam.attribute)
        except AttributeError as error:
            raise DoesNotFit(f"{seam.module} has no {seam.attribute}") from error
        signature = _signature_with(seam, original)

        def wrapper(
            wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> Any:
            result = wrapped(*args, **kwargs)
            try:
                reached()
                given = args if instance is None else (instance, *args)  # a function, a method
                arguments = signature.bind_partial(*given, **kwargs).arguments
                self._look(instance, arguments, result)
            except Exception as error:
                once(
                    logging.WARNING,
                    f"seam {seam.name} failed, LiteLLM's own answer stands: "
                    f"{type(error).__name__}: {error}",
                )
            return result

        ours = wrapt.FunctionWrapper(original, wrapper)
        setattr(parent, name, ours)

        def undo() -> None:
            if vars(parent).get(name) is not ours:
                raise DoesNotFit(f"{seam.attribute} was wrapped again by someone else")
            setattr(parent, name, original)

        return undo


def _signature_with(seam: Seam, function: Any) -> inspect.Signature:
    """The signature of `function`, if it has all parameters that the seam reads."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise DoesNotFit(f"{seam.attribute} has no readable signature") from error
    missing = [name for name in seam.parameters if name not in signature.parameters]
    if missing:
        raise DoesNotFit(f"{seam.attribute} has no parameter {', '.join(missing)}")
    return signature
