"""What may go wrong: errors to raise, and values that nobody expects; and where: the seams."""

from __future__ import annotations

import dataclasses
import math

from litellm_patch.seams.seam import DoesNotFit
from litellm_patch.seams.table import SEAMS as ROWS

SEAMS = [dataclasses.replace(row, router="") for row in ROWS]
"""As if the installed release had both routers, since most seams of the other one fit, too."""


class Unspeakable(Exception):
    """Its text cannot be had."""

    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


def _raising(*args: object) -> None:
    raise RuntimeError("hostile")


SPECIAL = ("__getattribute__", "__bool__", "__eq__", "__call__", "__iter__", "__repr__")
Hostile = type("Hostile", (), {**dict.fromkeys(SPECIAL, _raising), "__hash__": None})
"""Everything one does with an instance raises."""

ERRORS = {
    error.__name__: error
    for error in (ValueError, TypeError, KeyError, ImportError, OSError, RecursionError)
    + (MemoryError, AssertionError, StopIteration, StopAsyncIteration, UnicodeError)
    + (DoesNotFit, Unspeakable)
}

VALUES = {
    "None": None,
    "object": object(),
    "empty text": "",
    "text": "sk-secret-1234",
    "bytes": b"x",
    "nan": math.nan,
    "infinity": math.inf,
    "negative": -1,
    "10**400": 10**400,
    "true": True,
    "list": [1, 2],
    "dict": {"retry-after": "1"},
    "class": int,
    "function": lambda *a, **k: None,
    "exception": ValueError("sk-secret-1234"),
    "hostile": Hostile(),
}


def assert_quiet(lines, most=1):
    """At most so many lines in the log, and no request data in them."""
    assert len(lines) <= most, lines
    assert not any("secret" in line for line in lines)
