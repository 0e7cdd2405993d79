"""The seam on LiteLLM's real classes: the cases of PR #27826, and those without a header."""

from __future__ import annotations

import logging

import pytest
from litellm.proxy._types import ProxyException
from litellm_errors import PINNED, rate_limit, refusal

import litellm_patch
from litellm_patch import options
from litellm_patch.seams.answer import proxy_exception, stream_errors
from litellm_patch.wait.tell import Told


@pytest.fixture
def make_429(side):
    """Handle an exception as an endpoint does, and return the ProxyException made of it."""

    def make(error: Exception, message: str = "", code: object = 429, headers=None):
        try:
            raise error
        except Exception as caught:
            return ProxyException(message or str(caught), "None", "None", code, headers)

    (litellm_patch.activate if side == "with-patch" else litellm_patch.deactivate)()
    yield make
    litellm_patch.deactivate()


@pytest.mark.needs_patch
@pytest.mark.parametrize("cooldown, header", [(60, "60"), (0, "0"), (0.2, "1"), (59.01, "60")])
def test_a_refusal_tells_its_cooldown(make_429, cooldown, header):
    shared = {"x": "1"}
    headers = make_429(refusal(cooldown), headers=shared).headers
    assert (headers.get("retry-after"), headers["x"]) == (header, "1")
    assert shared == {"x": "1"}


def test_other_errors_get_no_header(make_429):
    assert make_429(ValueError("No deployments available")).headers == {}
    error = make_429(refusal(60), message="something else", code=400)
    assert (error.code, error.headers) == ("400", {})
    # Made outside of a handler.
    assert ProxyException("No deployments available", "None", "None", 429).headers == {}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, None, "soon"])
def test_an_unusable_cooldown_gets_no_header_and_one_debug_line(make_429, lines, value):
    assert make_429(refusal(value)).headers == {}
    assert make_429(refusal(value)).headers == {}
    assert [line.levelno for line in lines if "usable" in line.getMessage()] == [logging.DEBUG]


class Made:
    """A new `ProxyException` as the seam sees it."""

    def __init__(self, code, message="refused", headers=None) -> None:
        self.code, self.message, self.headers = code, message, headers or {}

    def while_handling(self, error):
        """Let it be made where an error is being handled."""
        if error is None:
            proxy_exception.say_retry_after(self, {}, None)
            return self
        try:
            raise error
        except Exception:
            proxy_exception.say_retry_after(self, {}, None)
        return self


@pytest.fixture
def asked(monkeypatch):
    """What `tell` is asked, and a wait of 5 s that it answers; None for errors that are none."""
    calls: list[tuple] = []

    def tell(error, message, headers, seam, forward_provider):
        assert seam == "proxy-exception"
        calls.append((error, message, headers, forward_provider))
        if isinstance(error, KeyError):
            return None
        return Told(5.0, {**headers, "retry-after": "5"}, is_step=False, is_nothing=False)

    monkeypatch.setattr(proxy_exception, "tell", tell)
    stream_errors._told.clear()
    return calls


@pytest.mark.parametrize("code", ["429", 429])
def test_a_429_is_told_the_wait_of_the_error_that_is_handled(asked, code, lines):
    handled, made = ValueError("x"), Made(code, headers={"x": "y"})
    made.while_handling(handled)
    assert asked == [(handled, "refused", {"x": "y"}, False)]
    assert (made.code, made.headers) == (code, {"x": "y", "retry-after": "5"})
    assert [wait for _, _, wait in stream_errors._told] == [{"retry-after": "5"}]
    assert lines == []


def test_an_operator_may_forward_the_wait_of_a_provider(asked, monkeypatch):
    monkeypatch.setenv("LITELLM_PATCH_FORWARD_PROVIDER", "on")
    options.current.cache_clear()
    try:
        Made(429).while_handling(ValueError("x"))
    finally:
        options.current.cache_clear()
    assert asked[0][-1] is True


def test_a_429_that_is_no_refusal_keeps_its_headers(asked, lines):
    made = Made(429, headers={"x": "y"})
    headers = made.headers
    made.while_handling(KeyError("x"))
    assert made.headers is headers
    assert (made.headers, list(stream_errors._told), lines) == ({"x": "y"}, [], [])


@pytest.mark.parametrize("code, becomes", [("500", "429"), (500, "429"), ("400", "400")])
def test_a_500_becomes_a_429_if_all_of_several_models_are_cooling(
    asked, monkeypatch, code, becomes
):
    led = []
    monkeypatch.setattr(proxy_exception, "lead_to_refusals", lambda error: not led.append(error))
    failed = Exception("All tasks failed")
    made = Made(code, "All tasks failed").while_handling(failed)
    assert (made.code, made.message) == (becomes, "All tasks failed")
    assert led == ([failed] if becomes == "429" else [])
    # The message does not say that it is a refusal, so that it is not asked.
    assert asked == ([(failed, None, {}, False)] if led else [])


@pytest.mark.parametrize(
    "error, code, told",
    [
        # LiteLLM answers 503 to a follow-up whose only deployment is cooling.
        (rate_limit(PINNED), "503", True),
        (rate_limit(PINNED), 503, True),
        (rate_limit(PINNED), "500", False),
        *((ValueError("x"), code, False) for code in ("400", "500", "503", None, "428")),
        *((None, code, False) for code in ("503", "500")),
    ],
)
def test_besides_429_only_a_503_may_be_told_a_wait(asked, lines, error, code, told):
    made = Made(code).while_handling(error)
    assert (made.code, lines) == (code, [])
    assert made.headers == ({"retry-after": "5"} if told else {})
    assert len(asked) == told
