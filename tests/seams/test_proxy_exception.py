"""The seam at LiteLLM's real classes: what PR #27826 describes, and what must stay away."""

from __future__ import annotations

import logging

import pytest

import litellm_patch
from litellm_patch import options
from litellm_patch.seams.answer import proxy_exception, stream_errors
from litellm_patch.wait.tell import Told


@pytest.fixture
def make_429(side):
    """Handle an exception as an endpoint does, and return the ProxyException made of it."""
    from litellm.proxy._types import ProxyException

    def make(error: Exception, message: str = "", code: object = 429, headers=None):
        try:
            raise error
        except Exception as caught:
            return ProxyException(message or str(caught), "None", "None", code, headers)

    (litellm_patch.activate if side == "with-patch" else litellm_patch.deactivate)()
    yield make
    litellm_patch.deactivate()


def refusal(cooldown_time):
    from litellm.types.router import RouterRateLimitError

    return RouterRateLimitError(
        model="m", cooldown_time=cooldown_time, enable_pre_call_checks=False, cooldown_list=[]
    )


@pytest.mark.needs_patch
@pytest.mark.parametrize("cooldown, header", [(60, "60"), (0, "0"), (0.2, "1"), (59.01, "60")])
def test_a_refusal_tells_its_cooldown(make_429, cooldown, header):
    assert make_429(refusal(cooldown)).headers.get("retry-after") == header


def test_another_error_gets_no_header(make_429):
    assert make_429(ValueError("No deployments available")).headers == {}


def test_another_status_gets_no_header(make_429):
    error = make_429(refusal(60), message="something else", code=400)
    assert (error.code, error.headers) == ("400", {})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, None, "soon"])
def test_an_unusable_cooldown_gets_no_header_and_one_debug_line(make_429, caplog, value):
    from litellm_patch import log

    log._said.clear()
    with caplog.at_level(logging.DEBUG, "litellm_patch"):
        assert make_429(refusal(value)).headers == {}
        assert make_429(refusal(value)).headers == {}
    assert [r.levelname for r in caplog.records if "usable" in r.message] == ["DEBUG"]


def test_the_callers_dict_is_not_touched(make_429):
    shared = {"x": "1"}
    headers = {"x": "1", "retry-after": "60", "retry-after-ms": "59999"}
    assert make_429(refusal(60), headers=shared).headers == headers
    assert shared == {"x": "1"}


def test_an_error_made_outside_of_a_handler_gets_no_header(make_429):
    from litellm.proxy._types import ProxyException

    assert ProxyException("No deployments available", "None", "None", 429).headers == {}


class Made:
    """A new `ProxyException` as the seam sees it."""

    def __init__(self, code, message="refused", headers=None) -> None:
        self.code, self.message, self.headers = code, message, headers or {}


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


def made_while(handled, made):
    try:
        raise handled
    except Exception:
        proxy_exception.say_retry_after(made, {}, None)
    return made


@pytest.mark.parametrize("code", ["429", 429])
def test_a_429_is_told_what_is_said_of_the_error_that_is_handled(asked, code, lines):
    handled, made = ValueError("x"), Made(code, headers={"x": "y"})
    made_while(handled, made)
    assert asked == [(handled, "refused", {"x": "y"}, False)]
    assert (made.code, made.headers) == (code, {"x": "y", "retry-after": "5"})
    assert [wait for _, _, wait in stream_errors._told] == [{"retry-after": "5"}]
    assert lines == []


def test_an_operator_may_forward_the_wait_of_a_provider(asked, monkeypatch):
    monkeypatch.setenv("LITELLM_PATCH_FORWARD_PROVIDER", "on")
    options.current.cache_clear()
    try:
        made_while(ValueError("x"), Made(429))
    finally:
        options.current.cache_clear()
    assert asked[0][-1] is True


@pytest.mark.parametrize("code", ["400", "500", "503", None, "428"])
def test_another_status_is_not_told_anything(asked, code, lines):
    made = made_while(ValueError("x"), Made(code))
    assert (asked, made.code, made.headers, lines) == ([], code, {}, [])


def test_a_429_that_is_no_refusal_keeps_its_headers(asked, lines):
    made = Made(429, headers={"x": "y"})
    headers = made.headers
    made_while(KeyError("x"), made)
    assert made.headers is headers
    assert (made.headers, list(stream_errors._told), lines) == ({"x": "y"}, [], [])


@pytest.mark.parametrize("code, becomes", [("500", "429"), (500, "429"), ("400", "400")])
def test_that_all_of_several_models_are_cooling_is_a_429(asked, monkeypatch, code, becomes):
    led = []
    monkeypatch.setattr(proxy_exception, "lead_to_refusals", lambda error: not led.append(error))
    failed = Exception("All tasks failed")
    made = made_while(failed, Made(code, "All tasks failed"))
    assert (made.code, made.message) == (becomes, "All tasks failed")
    assert led == ([failed] if becomes == "429" else [])
    # The message does not say that it is a refusal, so that it is not asked.
    assert asked == ([(failed, None, {}, False)] if led else [])


def pinned(kind, status):
    named = type(kind, (Exception,), {"__module__": "litellm.exceptions"})
    error = named("The deployment that produced this encrypted_content is cooling down")
    error.llm_provider, error.status_code = "", status
    return error


@pytest.mark.parametrize("code, told", [("503", True), (503, True), ("500", False)])
def test_a_follow_up_to_a_deployment_that_cools_is_told_its_wait(asked, code, told):
    made = made_while(pinned("ServiceUnavailableError", 503), Made(code))
    assert made.code == code
    assert made.headers == ({"retry-after": "5"} if told else {})


@pytest.mark.parametrize("code", ["503", "500"])
def test_outside_of_a_handler_only_a_429_is_looked_at(asked, code):
    made = Made(code)
    proxy_exception.say_retry_after(made, {}, None)
    assert (asked, made.headers) == ([], {})
