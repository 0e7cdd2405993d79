"""What is noted on an exception can be read again, and shows nowhere."""

from __future__ import annotations

import pytest

from litellm_patch.wait import marks


@pytest.mark.parametrize("value", [1.5, None, ["a"]])
def test_what_is_noted_can_be_read_again(value):
    error = ValueError()
    marks.put(error, "a", value)
    assert marks.get(error, "a") is value
    assert marks.get(error, "b") is None


def test_a_note_has_a_name_that_fastapi_leaves_out_of_bodies():
    """Its `jsonable_encoder` skips the attributes whose names begin so."""
    error = ValueError()
    marks.put(error, "a", 1)
    assert [name for name in vars(error) if not name.startswith("_sa")] == []
