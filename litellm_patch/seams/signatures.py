"""Whether a function or class of LiteLLM takes what a seam reads of it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from .seam import DoesNotFit


def signature_with(place: str, function: Any, parameters: Sequence[str]) -> inspect.Signature:
    """The signature of `function`, or of the making of a class, if it has all of `parameters`.

    Args:
        place: how people call it.

    Raises:
        DoesNotFit: one is missing, or there is no signature to be read.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise DoesNotFit(f"{place} has no readable signature") from error
    missing = [name for name in parameters if name not in signature.parameters]
    if missing:
        raise DoesNotFit(f"{place} has no parameter {', '.join(missing)}")
    return signature
