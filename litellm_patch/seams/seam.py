"""What a seam is: one place in LiteLLM, what we add there, and how to take it back."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from typing import Any, Callable, Protocol

Undo = Callable[[], None]
"""Takes a seam off. One that may be unable to has a method ``check``, which raises `DoesNotFit`
in that case and changes nothing."""

PYTHON, RUST = "Python", "Rust"
"""LiteLLM's routers: in Python up to 1.109.3, since 1.110.0 in Rust. No release has both."""

OTHER_ROUTER = "this release has the other router"
"""Why a seam of one of the two is not needed."""


class DoesNotFit(Exception):
    """A seam does not look as expected in this LiteLLM; it is left alone."""


def always_needed(module: object) -> str:
    """No release does without the seam."""
    return ""


def lacks(attribute: str) -> Callable[[object], str]:
    """For `Seam.unneeded`: releases whose module has no `attribute` have no use for the seam."""

    def unneeded(module: object) -> str:
        return "" if hasattr(module, attribute) else f"this release has no {attribute}"

    return unneeded


def takes(attribute: str, parameter: str) -> Callable[[object], str]:
    """For `Seam.unneeded`: the class that the other router has is made with `parameter`."""

    def unneeded(module: object) -> str:
        made: Any = getattr(module, attribute, None)
        try:
            parameters = inspect.signature(made).parameters
        except (TypeError, ValueError):  # there is no such class, or it cannot be read
            return ""
        return OTHER_ROUTER if parameter in parameters else ""

    return unneeded


def without_rust(module: object) -> str:
    """For `Seam.unneeded`: the module is a part of the router in Rust, if this release has it."""
    return "" if module is not None or has_rust_router() else OTHER_ROUTER


def with_rust(module: object) -> str:
    """For `Seam.unneeded`: the router in Rust has another seam for it."""
    return OTHER_ROUTER if has_rust_router() else ""


def has_rust_router() -> bool:
    """Whether the router of the LiteLLM that is loaded is in Rust: since 1.110.0, without another.

    Imports nothing, and waits for no import: the hooks' lock is held.
    """
    path = getattr(sys.modules.get("litellm"), "__path__", None)
    return path is not None and PathFinder.find_spec("litellm.router_rust", path) is not None


class Joint(Protocol):
    """How a seam is attached to a loaded module of LiteLLM."""

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        """Attach to `module` and return what takes it off again.

        Args:
            reached: to be called each time when the seam's own code runs.

        Raises:
            DoesNotFit: the module was left as it was; the text says why.
        """


@dataclass(frozen=True)
class Seam:
    """One row of the table of seams.

    Attributes:
        name: how people and ``status`` call it.
        module: the LiteLLM module that holds it.
        attribute: dotted path in that module.
        parameters: names that its signature must have; order is not required, because we
            read arguments by name.
        init_parameter: a parameter that the ``__init__`` of a method's class must have, or "". A
            class that keeps elsewhere what the seam reads has the same methods, but not this.
        router: which of LiteLLM's routers has the place: PYTHON, RUST, or "" for both.
        adds: what LiteLLM does with it that it does not do without.
        releases: the LiteLLM releases that have the place.
        unnecessary_when: what would make the seam superfluous.
        joint: how it is attached.
        unneeded: given the loaded module, or None where the release has no such module, why
            the seam is not needed there, or "". Looks at features, not at versions. Elsewhere
            a place that is missing or changed is a defect, which strict mode does not accept.
    """

    name: str
    module: str
    attribute: str
    parameters: tuple[str, ...]
    adds: str
    releases: str
    unnecessary_when: str
    joint: Joint
    unneeded: Callable[[object], str] = always_needed
    init_parameter: str = ""
    router: str = ""
