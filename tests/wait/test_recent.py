"""A bounded memory forgets what was used least recently."""

from __future__ import annotations

from collections import OrderedDict

from litellm_patch.wait.recent import keep


def test_the_entry_that_was_used_least_recently_is_forgotten():
    entries: OrderedDict[str, int] = OrderedDict()
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        assert keep(entries, key, value, 2) == value
    assert list(entries.items()) == [("a", 3), ("c", 4)]


def test_what_is_there_too_many_is_forgotten_at_once():
    entries = OrderedDict.fromkeys("abc", 0)
    keep(entries, "d", 1, 2)
    assert list(entries) == ["c", "d"]
