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


class Hostile:
    """Everything one does with it raises."""

    def __getattribute__(self, name):
        raise RuntimeError(f"hostile {name}")

    def __bool__(self):
        raise RuntimeError("hostile bool")

    def __eq__(self, other):
        raise RuntimeError("hostile eq")

    __hash__ = None

    def __call__(self, *args, **kwargs):
        raise RuntimeError("hostile call")

    def __iter__(self):
        raise RuntimeError("hostile iter")

    def __repr__(self):
        raise RuntimeError("hostile repr")


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
    told = [line.getMessage() for line in lines]
    assert len(told) <= most, told
    assert not any("secret" in text for text in told)
