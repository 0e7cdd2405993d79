"""A bounded memory: what was used least recently is forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

T = TypeVar("T")


def keep(entries: OrderedDict[str, T], key: str, value: T, most: int) -> T:
    """Put `value` under `key`, as the entry that was used last, and return it.

    Args:
        most: how many entries are kept.
    """
    entries[key] = value
    entries.move_to_end(key)
    while len(entries) > most:
        entries.popitem(last=False)
    return value
