"""The seam on LiteLLM's real classes: the cases of PR #27826, and those without a header."""

from __future__ import annotations

import logging

import pytest
from litellm.proxy._types import ProxyException
from litellm_errors import PINNED, rate_limit, refusal

from litellm_patch.options import Options
from litellm_patch.seams.answer import proxy_exception, stream_errors
from litellm_patch.wait.tell import Told

pytestmark = pytest.mark.usefixtures("patched")


def make(error, code: object = 429, message=None, headers=None) -> ProxyException:
    """What the proxy makes where an error, or none, is being handled."""
    given = (message or str(error), "None", "None", code, headers)
    try:
        if error is not None:
            raise error
    except Exception:
        return ProxyException(*given)
    return ProxyException(*given)


@pytest.mark.needs_patch
@pytest.mark.parametrize("cooldown, header", [(60, "60"), (0, "0"), (0.2, "1"), (59.01, "60")])
def test_a_refusal_tells_its_cooldown(cooldown, header):
    shared = {"x": "1"}
    headers = make(refusal(cooldown), headers=shared).headers
    assert (headers.get("retry-after"), headers["x"]) == (header, "1")
    assert shared == {"x": "1"}


@pytest.mark.parametrize("value", [float("nan"), None])
def test_an_unusable_cooldown_gets_no_header_and_one_debug_line(lines, caplog, value):
    caplog.clear()
    assert [make(refusal(value)).headers for _ in range(2)] == [{}, {}]
    assert [record.levelno for record in caplog.records] == [logging.DEBUG]


@pytest.fixture
def asked(monkeypatch):
    """What `tell` is asked, and a wait of 5 s that it answers; None for errors that are none."""
    calls: list[tuple] = []

    def tell(error, message, headers, *more):
        calls.append((error, message, headers, *more))
        if isinstance(error, KeyError):
            return None
        return Told(5.0, {**headers, "retry-after": "5"}, is_step=False, is_nothing=False)

    monkeypatch.setattr(proxy_exception, "tell", tell)
    stream_errors._told.clear()
    return calls


@pytest.mark.parametrize("code, forward", [("429", False), (429, True)])
def test_a_429_is_told_the_wait_of_the_error_that_is_handled(asked, monkeypatch, code, forward):
    monkeypatch.setattr(proxy_exception, "current", lambda: Options(forward_provider=forward))
    handled = ValueError("x")
    made = make(handled, code, headers={"x": "y"})
    assert asked == [(handled, "x", {"x": "y"}, "proxy-exception", forward)]
    assert (made.code, made.headers) == ("429", {"x": "y", "retry-after": "5"})
    assert [wait for _, _, wait in stream_errors._told] == [{"retry-after": "5"}]


def test_a_429_that_is_no_refusal_keeps_its_headers(asked, lines):
    lines.clear()
    assert make(KeyError("x"), headers={"x": "y"}).headers == {"x": "y"}
    assert (list(stream_errors._told), lines) == ([], [])


@pytest.mark.parametrize("code, becomes", [(500, "429"), (400, "400")])
def test_a_500_becomes_a_429_if_all_of_several_models_are_cooling(
    asked, monkeypatch, code, becomes
):
    led = []
    monkeypatch.setattr(proxy_exception, "lead_to_refusals", lambda error: not led.append(error))
    failed = Exception("All tasks failed")
    made = make(failed, code)
    assert (made.code, made.message) == (becomes, "All tasks failed")
    assert led == ([failed] if becomes == "429" else [])
    # The message does not say that it is a refusal, so that it is not asked.
    assert asked == ([(failed, None, {}, "proxy-exception", False)] if led else [])


@pytest.mark.parametrize(
    "error, code, told",
    [
        # LiteLLM answers 503 to a follow-up whose only deployment is cooling.
        (rate_limit(PINNED), 503, True),
        (rate_limit(PINNED), 500, False),
        *((ValueError("x"), code, False) for code in (400, 500, 503, None, 428)),
        *((None, code, False) for code in (503, 500)),
    ],
)
def test_besides_429_only_a_503_may_be_told_a_wait(asked, lines, error, code, told):
    lines.clear()
    made = make(error, code)
    assert (made.code, lines) == (str(code), [])
    assert made.headers == ({"retry-after": "5"} if told else {})
    assert len(asked) == told
