"""A seam: one place in LiteLLM, what we add there, and how to undo it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from typing import Any, Callable, Protocol

Undo = Callable[[], None]
"""Takes a seam off. If that may be impossible, it has a method ``check``, which then raises
`DoesNotFit` and changes nothing."""

PYTHON, RUST = "Python", "Rust"
"""LiteLLM's routers: in Python up to 1.109.3, in Rust since 1.110.0. No release has both."""

OTHER_ROUTER = "this release has the other router"
"""The reason why a seam for one of the two routers is not needed."""

SOURCE_MARK = "LITELLM_PATCH_IN_SOURCE"
"""A name that the source patches define in ``litellm.types.router``, which is loaded before every
module with a seam."""


class DoesNotFit(Exception):
    """A seam does not look as expected in this LiteLLM; it is left alone."""


def always_needed(module: object) -> str:
    """For seams that every release needs."""
    return ""


def lacks(attribute: str) -> Callable[[object], str]:
    """For `Seam.unneeded`: releases whose module has no `attribute` do not need the seam."""

    def unneeded(module: object) -> str:
        return "" if hasattr(module, attribute) else f"this release has no {attribute}"

    return unneeded


def signature_with(place: str, function: Any, parameters: Sequence[str]) -> inspect.Signature:
    """The signature of a function, or of the constructor of a class, if it has all `parameters`.

    Args:
        place: its name for people.

    Raises:
        DoesNotFit: a parameter is missing, or the signature is unreadable.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise DoesNotFit(f"{place} has no readable signature") from error
    missing = [name for name in parameters if name not in signature.parameters]
    if missing:
        raise DoesNotFit(f"{place} has no parameter {', '.join(missing)}")
    return signature


def in_source() -> bool:
    """Whether the loaded LiteLLM, patched in its source, does what the seams would add."""
    return getattr(sys.modules.get("litellm.types.router"), SOURCE_MARK, None) is True


def has_rust_router() -> bool:
    """Whether the router of the loaded LiteLLM is in Rust.

    Imports nothing and waits for no import, because the caller holds the hooks' lock.
    """
    path = getattr(sys.modules.get("litellm"), "__path__", None)
    return path is not None and PathFinder.find_spec("litellm.router_rust", path) is not None


class Joint(Protocol):
    """How a seam is attached to a loaded module of LiteLLM."""

    def attach(self, module: object, seam: Seam, reached: Callable[[], None]) -> Undo:
        """Attach to `module` and return the undo.

        Args:
            reached: to be called each time the seam's own code runs.

        Raises:
            DoesNotFit: the module is unchanged; the text says why.
        """


@dataclass(frozen=True)
class Seam:
    """One row of the table of seams.

    Attributes:
        name: its name in the log and in ``status``.
        module: the LiteLLM module that holds the place.
        attribute: dotted path in that module.
        parameters: names that its signature must have, in any order, because we read arguments
            by name.
        init_parameter: a parameter that the ``__init__`` of a method's class must have, or "". It
            excludes a class that has the same methods but keeps its data elsewhere.
        router: the router that has the place: PYTHON, RUST, or "" for both. With the other router
            the seam is not needed.
        adds: what LiteLLM does with the seam and not without it.
        releases: the LiteLLM releases that have the place.
        unnecessary_when: the change in LiteLLM that would make the seam superfluous.
        joint: how the seam is attached.
        unneeded: given the loaded module, or None where the release has no such module, returns
            why that release does not need the seam, or "". It looks at features, not at versions.
            In all other releases a missing or changed place is a defect, which strict mode rejects.
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

    def why_unneeded(self, module: object) -> str:
        """Why the loaded LiteLLM does not need the seam, or "".

        Args:
            module: as for `unneeded`.
        """
        if self.router and self.router != (RUST if has_rust_router() else PYTHON):
            return OTHER_ROUTER
        return self.unneeded(module)
