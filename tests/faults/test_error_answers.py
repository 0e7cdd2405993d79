"""LiteLLM's `ProxyException` with and without the patch, over rubbish: only the header differs."""

from __future__ import annotations

from collections import OrderedDict, UserDict
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litellm_errors import refusal as refusal_of
from rubbish import VALUES

import litellm_patch

HEADERS = {
    # Beside the mappings of texts, which are tried below.
    "None": None,
    "empty": {},
    "read only": MappingProxyType({"x": "1"}),
    "user dict": UserDict({"x": "1"}),
    "ordered": OrderedDict(x="1"),
    "number as name": {1: "1"},
    "bytes as name": {b"x": b"1"},
    "list of pairs": [("x", "1")],
    "text": "x: 1",
    "number": 7,
}


OURS = ("retry-after", "retry-after-ms", "x-should-retry")


def make(refusal, headers, code):
    """LiteLLM's error for a refusal that is being handled: its parts, or the error in making it."""
    from litellm.proxy._types import ProxyException

    try:
        raise refusal
    except Exception:
        try:
            error = ProxyException("No deployments available", "None", "None", code, headers)
        except Exception as theirs:
            return type(theirs), str(theirs), None
    parts = {k: v for k, v in vars(error).items() if k != "headers"}
    return parts, str(error), error.headers


def same_but_for_the_header(refusal, headers, code) -> None:
    def fresh():
        return dict(headers) if type(headers) is dict else headers

    litellm_patch.deactivate()
    before = make(refusal, fresh(), code)
    litellm_patch.activate()
    after = make(refusal, fresh(), code)
    litellm_patch.deactivate()
    assert after[:2] == before[:2]
    if before[2] is None or after[2] == before[2]:
        assert after[2] == before[2]
        return

    def others(mapping):
        return {k: v for k, v in mapping.items() if str(k).lower() not in OURS}

    assert others(after[2]) == others(before[2])
    for name in OURS:
        ours = [v for k, v in after[2].items() if str(k).lower() == name]
        assert len(ours) <= 1
        assert all(value.isascii() and value.isdigit() or value == "false" for value in ours)
    told = {str(k).lower() for k in after[2]}.intersection(OURS) - {"retry-after-ms"}
    assert len(told) <= 1, "when to retry, or not to, but not both"


@pytest.mark.parametrize("headers", HEADERS)
@pytest.mark.parametrize("value", [*VALUES, "60", "zero", "half a second"])
def test_any_cooldown_value_with_any_headers(stock, value, headers, lines):
    seconds = {"60": 60, "zero": 0, "half a second": 0.5}.get(value, VALUES.get(value))
    refusal = refusal_of(60)
    refusal.cooldown_time = seconds
    same_but_for_the_header(refusal, HEADERS[headers], 429)
    assert len(lines) <= 3  # at most one of each kind: two states of activation, one failure


@pytest.mark.parametrize("code", [*VALUES, "429", 429, "429.0", 400, 503])
def test_any_status(stock, code):
    if code != "hostile":
        same_but_for_the_header(refusal_of(60), {}, VALUES.get(code, code))


NAMES = st.one_of(
    st.sampled_from(["retry-after", "Retry-After", "RETRY-AFTER", "x-a", "X-A"]), st.text()
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary())
QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@QUICK
@given(seconds=SCALARS, headers=st.dictionaries(NAMES, SCALARS, max_size=5))
def test_any_number_with_any_header_mapping(stock, seconds, headers):
    refusal = refusal_of(60)
    refusal.cooldown_time = seconds
    same_but_for_the_header(refusal, headers, 429)


@QUICK
@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.booleans()), max_size=40),
    st.lists(SCALARS, min_size=12, max_size=12),
)
def test_any_chain_of_exceptions(stock, links, seconds):
    errors = [refusal_of(s) if n % 2 else ValueError(n) for n, s in enumerate(seconds)]
    for source, target, cause in links:
        setattr(errors[source], "__cause__" if cause else "__context__", errors[target])
    same_but_for_the_header(errors[1], {}, 429)
    litellm_patch.retry_after(errors[0])


@pytest.mark.parametrize("attribute", ["cooldown_time", "exceptions", "__cause__", "__context__"])
@pytest.mark.parametrize("value", [*VALUES, "raises"])
def test_a_chain_with_rubbish_in_it(attribute, value):
    def raising(self):
        raise ZeroDivisionError

    found = property(raising) if value == "raises" else VALUES[value]
    refusal = type("Odd", (type(refusal_of(1)),), {attribute: found})
    error = refusal.__new__(refusal)
    seconds = litellm_patch.retry_after(error)
    assert seconds is None or seconds >= 0
