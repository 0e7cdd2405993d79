"""Of the budgets that were remembered, the one that a refusal is about."""

from __future__ import annotations

from collections import OrderedDict

import pytest

from litellm_patch.seams.refusal import spent_budget
from litellm_patch.seams.refusal.spent_budget import end_of, remember


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(spent_budget, "_ends", OrderedDict())


def test_of_several_budgets_that_is_told_which_was_crossed():
    remember("budget of a", 90.0)
    remember("budget of b", 50.0)
    remember("", 10.0)
    assert end_of(ValueError("crossed budget: budget of a")) == 90
    assert end_of(ValueError("crossed budget: budget of c")) is None
    both = ValueError("crossed budget: budget of a, budget of b")
    assert end_of(both) == 50  # the last to be noted is the one that was crossed now
    remember("budget of a", 70.0)
    assert end_of(both) == 70


def test_two_hundred_budgets_are_remembered():
    remember("the first", 5.0)
    for number in range(199):
        remember(f"number {number};", float(number))
    remember("the first", 6.0)
    remember("one more", 7.0)
    assert end_of(ValueError("the first")) == 6
    assert end_of(ValueError("number 0;")) is None
    assert end_of(ValueError("number 1;")) == 1
