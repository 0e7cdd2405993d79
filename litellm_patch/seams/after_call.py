"""Attach to a function of LiteLLM: it runs first, then we look at its result."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Callable

import wrapt

from ..log import failed
from .seam import DoesNotFit, Seam, Undo, signature_with

Look = Callable[[object, Mapping[str, Any], object], None]
"""Called with the instance, the arguments by name, and the result of LiteLLM's function."""


class AfterCall:
    """Run `look` after each call of the seam's function; never in its place.

    LiteLLM's function runs first, with exactly its arguments, and the caller gets its result or
    exception. If `look` fails, that is logged once and changes nothing.
    """

    def __init__(self, look: Look) -> None:
        self._look = look

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        try:
            parent, name, original = wrapt.resolve_path(module, seam.attribute)
        except AttributeError as error:
            raise DoesNotFit(f"{seam.module} has no {seam.attribute}") from error
        signature = signature_with(seam.attribute, original, seam.parameters)
        is_method = inspect.isclass(parent)
        if seam.init_parameter:
            signature_with(f"{parent.__name__}.__init__", parent, [seam.init_parameter])

        def wrapper(
            wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> Any:
            result = wrapped(*args, **kwargs)
            try:
                reached()
                # A plain function around our wrapper passes the instance as an argument.
                everything = args if instance is None else (instance, *args)
                arguments = signature.bind_partial(*everything, **kwargs).arguments
                self._look(everything[0] if is_method else None, arguments, result)
            except Exception as error:
                failed(f"seam {seam.name} failed, LiteLLM's own answer stands", error)
            return result

        ours = wrapt.FunctionWrapper(original, wrapper)
        undo = _TakeOff(parent, name, original, ours, seam)
        setattr(parent, name, ours)
        return undo


class _TakeOff:
    """Restores the function that `ours` wraps, even beneath later wrapt wrappers."""

    def __init__(self, parent: Any, name: str, original: Any, ours: Any, seam: Seam) -> None:
        self._parent, self._name, self._original, self._ours = parent, name, original, ours
        self._seam = seam
        self._inherited = name not in vars(parent)

    def check(self) -> None:
        """
        Raises:
            DoesNotFit: the function cannot be restored.
        """
        self._layer()

    def __call__(self) -> None:
        layer = self._layer()
        if layer is not None:
            layer.__wrapped__ = self._original
        elif vars(self._parent).get(self._name) is not self._ours:
            return  # somebody else has restored the original
        elif self._inherited:
            delattr(self._parent, self._name)
        else:
            setattr(self._parent, self._name, self._original)

    def _layer(self) -> Any:
        """Somebody else's wrapper directly around ours; None if ours is the outermost."""
        outermost = vars(self._parent).get(self._name, self._original)
        if outermost is self._ours or outermost is self._original:
            return None
        return _layer_above(self._ours, outermost, self._seam)


def _layer_above(ours: object, outermost: Any, seam: Seam) -> Any:
    """The wrapper directly around `ours`.

    Only wrapt's wrappers call their ``__wrapped__``. A function made by `functools.wraps` has that
    attribute, too, but calls the function in its closure.
    """
    layer = outermost
    while _is_wrapt(layer):
        if layer.__wrapped__ is ours:
            return layer
        layer = layer.__wrapped__
    raise DoesNotFit(f"{seam.attribute} was wrapped again by something that is not wrapt's")


def _is_wrapt(layer: object) -> bool:
    """Judged by the names of classes, because monitoring agents bundle copies of wrapt."""
    return any(kind.__name__ in ("ObjectProxy", "BaseObjectProxy") for kind in type(layer).__mro__)
