"""What becomes of the headers of an error answer."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from litellm_patch.wait.exception_chain import Refusal
from litellm_patch.wait.headers import with_retry_after

TOLD = {"retry-after": "13", "retry-after-ms": "12500"}
LONG = {"retry-after": "5000", "retry-after-ms": "5000000"}
NATIVE = frozenset({"60", "30"})
LEFT = Refusal(12.5, NATIVE)
UNKNOWN = Refusal(None, NATIVE)
ENDLESS = Refusal(None, NATIVE, endless=True)
MINUTES = Refusal(250, frozenset({"300"}), out_of_reach=True)
ALMOST = Refusal(599.9, out_of_reach=True)
HOPELESS = Refusal(600, frozenset({"3600"}), out_of_reach=True)
STOP = {"x-should-retry": "false"}


@pytest.mark.parametrize(
    "refusal, before, after",
    [
        pytest.param(LEFT, {"x": "1"}, {"x": "1", **TOLD}, id="the others stay"),
        pytest.param(Refusal(5000), {}, LONG, id="more than an hour"),
        pytest.param(LEFT, {"Retry-After": "5"}, {"Retry-After": "5"}, id="decided by somebody"),
        pytest.param(LEFT, {"retry-after": "60"}, TOLD, id="LiteLLM's own"),
        pytest.param(LEFT, {"retry-after": "30"}, TOLD, id="LiteLLM's own, of another group"),
        pytest.param(LEFT, {"Retry-After": "16.7596"}, TOLD, id="a fraction"),
        pytest.param(LEFT, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, TOLD, id="a date"),
        pytest.param(LEFT, {"Retry-After": "5", "retry-after": "6"}, TOLD, id="several"),
        pytest.param(LEFT, {"Retry-After-Ms": "7"}, TOLD, id="somebody's milliseconds"),
        pytest.param(UNKNOWN, {"a": "b", "retry-after": "oh"}, None, id="no number"),
        pytest.param(UNKNOWN, {"retry-after": "60"}, None, id="no number, LiteLLM's own"),
        pytest.param(ENDLESS, {"a": "b", "Retry-After": "60"}, {"a": "b"}, id="nothing is cooling"),
        pytest.param(ENDLESS, {"retry-after": "61"}, None, id="nothing is cooling, decided"),
        pytest.param(MINUTES, {"x": "1"}, None, id="out of reach"),
        pytest.param(MINUTES, {"retry-after": "300"}, {}, id="out of reach, LiteLLM's own"),
        pytest.param(ALMOST, {"x": "1"}, None, id="almost hopeless"),
        pytest.param(HOPELESS, {"x": "1"}, {"x": "1", **STOP}, id="hopeless"),
        pytest.param(HOPELESS, {"Retry-After": "3600"}, STOP, id="hopeless, LiteLLM's own"),
        pytest.param(HOPELESS, {"retry-after": "5"}, None, id="hopeless, decided by somebody"),
        pytest.param(HOPELESS, {"x-should-retry": "true"}, None, id="hopeless, decided otherwise"),
    ],
)
def test_the_headers_of_a_refusal(refusal, before, after):
    """`after` is None where nothing changes."""
    result = with_retry_after(MappingProxyType(before), refusal)
    assert result == (before if after is None else after)
