"""Whether a function or class of LiteLLM has the parameters that a seam reads."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from .seam import DoesNotFit


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
