"""Which exceptions of a chain refuse, and which of them decides the wait."""

from __future__ import annotations

import copy
import pickle
import threading

import pytest
from refusals import COOLDOWN, NOW, below, cooling, kind, marked, refusal

from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import find_refusal, related
from litellm_patch.wait.known_rate import KnownRate
from litellm_patch.wait.litellm_errors import NO_DEPLOYMENTS


def seconds(error: BaseException | None, message: str | None = None) -> float | None:
    found = find_refusal(error, message, NOW)
    return None if found is None else found.seconds


def chain(*errors: BaseException) -> BaseException:
    """The first of them, each raised from the next."""
    for above, cause in zip(errors, errors[1:]):
        above.__cause__ = cause
    return errors[0]


def member(*members: object) -> BaseException:
    group = RuntimeError("group")
    group.exceptions = members
    return group


@pytest.mark.parametrize(
    "error, message, expected",
    [
        pytest.param(refusal(60), "whatever", 60, id="itself"),
        pytest.param(kind("Special", "mine", COOLDOWN)("x"), None, None, id="without a number"),
        pytest.param(below(refusal(9)), f"{NO_DEPLOYMENTS} …", 9, id="below, and the message says"),
        pytest.param(below(refusal(9)), "overloaded", None, id="below an unrelated failure"),
        pytest.param(below(refusal(9)), None, 9, id="below, the whole chain counts"),
        pytest.param(chain(refusal(60), refusal(5), refusal(30)), None, 5, id="several groups"),
        pytest.param(chain(refusal(0.5), refusal(0)), None, 0, id="0 is the shortest"),
        pytest.param(cooling(3.5), None, 3.5, id="a known end beats the configured time"),
        pytest.param(cooling(-5), None, 0.001, id="an end that has passed is not told as 0"),
        pytest.param(chain(cooling(None), cooling(8)), None, 8, id="only the fallback is cooling"),
        pytest.param(chain(refusal("60"), refusal(8)), None, 8, id="the first is unusable"),
        pytest.param(member(ValueError("a"), refusal(4)), None, 4, id="a member of a group"),
        pytest.param(chain(*[refusal(4)] * 2), None, 4, id="a chain without an end"),
        pytest.param(ValueError("rate limit"), f"{NO_DEPLOYMENTS} …", None, id="no refusal"),
        pytest.param(None, NO_DEPLOYMENTS, None, id="no error"),
    ],
)
def test_the_wait_of_a_refusal(error, message, expected):
    assert seconds(error, message) == expected


def test_each_configured_time_of_a_chain_may_be_litellms_own_header():
    assert find_refusal(chain(refusal(30), refusal(9.5)), None, NOW).native == {"30", "10"}
    assert find_refusal(cooling(3.5), None, NOW).native == {"60"}


@pytest.mark.parametrize(
    "error, endless",
    [
        (cooling(None), True),
        (chain(cooling(None), cooling(8)), False),
        (chain(cooling(None), refusal("60")), False),  # an unusable number says nothing of an end
    ],
)
def test_where_nothing_is_cooling_no_wait_would_come_true(error, endless):
    assert find_refusal(error, None, NOW).endless is endless


@pytest.mark.parametrize("members", [5, "text", refusal(4), (None, "text", 5)])
def test_an_attribute_of_another_kind_is_no_group(members):
    error = below(refusal(9))
    error.exceptions = members
    assert seconds(error) == 9


def test_a_chain_of_a_hundred_thousand_ends():
    bottom: BaseException = refusal(1)
    for _ in range(100_000):
        bottom = below(bottom)
    assert seconds(bottom) is None  # found only within the first thousand
    assert len(list(related(bottom))) == 1000
    while bottom is not None:  # freeing it recursively would exhaust the C stack
        bottom.__context__, bottom = None, bottom.__context__


def test_marks_can_be_copied_and_pickled():
    lock = threading.Lock()  # as LiteLLM's router has
    mark = Cooling(5.0, "a|b", 30.0, rate=lambda: lock, honoured=120.0)
    assert copy.deepcopy(mark) is mark
    there = pickle.loads(pickle.dumps(mark))
    assert there == Cooling(5.0, "a|b", 30.0, honoured=120.0)
    assert there.rate() == KnownRate()


def test_fastapi_leaves_marks_out_of_bodies():
    """Its `jsonable_encoder` skips the attributes whose names begin with ``_sa``."""
    error = marked(ValueError(), 5)
    assert [name for name in vars(error) if not name.startswith("_sa")] == []
    assert marks.get(error, "another") is None
