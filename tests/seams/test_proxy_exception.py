"""The seam at LiteLLM's real classes: what PR #27826 describes, and what must stay away."""

from __future__ import annotations

import logging

import pytest

import litellm_patch


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
    from litellm_patch import report

    report._said.clear()
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
