"""Which refusals get a handler on the proxy's app, when it answers, and with what."""

from __future__ import annotations

import asyncio
import sys
import types

import pytest

from litellm_patch.seams.after_handler import loaded_class, table_of
from litellm_patch.seams.answer import proxy_app
from litellm_patch.seams.answer.proxy_app import RefusalHandler
from litellm_patch.seams.seam import DoesNotFit
from litellm_patch.seams.table import SEAMS

(SEAM,) = [seam for seam in SEAMS if isinstance(seam.joint, RefusalHandler)]
HTTP, WEBSOCKET = ({"type": kind} for kind in ("http", "websocket"))


def refusal():
    from litellm.types.router import RouterRateLimitError

    return RouterRateLimitError(
        model="m", cooldown_time=60, enable_pre_call_checks=False, cooldown_list=[]
    )


def basic():
    from litellm.types.router import RouterRateLimitErrorBasic

    return RouterRateLimitErrorBasic("m")


def limit():
    from litellm.exceptions import RateLimitError

    return RateLimitError("Deployment over defined rpm limit=1.", llm_provider="", model="m")


def budget():
    return ValueError("No deployments available - crossed budget: 3 >= 1")


class App:
    """An app with LiteLLM's handler; `attach` puts the seam on it."""

    def __init__(self) -> None:
        from litellm.proxy._types import ProxyException

        self.reached = 0
        self.converting = ProxyException
        self.exception_handlers = {ProxyException: lambda request, error: ("converted", error)}

    def attach(self):
        return SEAM.joint.attach(types.SimpleNamespace(app=self), SEAM, self.count)

    def count(self) -> None:
        self.reached += 1

    def answer(self, error: Exception, scope=HTTP):
        """As Starlette looks the handler up, and asks it."""
        try:
            raise error
        except Exception:
            for kind in type(error).__mro__:
                handler = self.exception_handlers.get(kind)
                if handler is not None:
                    return asyncio.run(handler(types.SimpleNamespace(scope=scope), error))
        return None


@pytest.mark.parametrize("make", [refusal, basic, limit, budget])
def test_a_refusal_is_converted_as_litellm_does_it(make):
    app, error = App(), make()
    app.attach()
    said, converted = app.answer(error)
    assert said == "converted"
    assert isinstance(converted, app.converting)
    assert (converted.message, converted.code) == (str(error), "429")
    assert converted.type == getattr(error, "type", "None")
    assert converted.param == getattr(error, "param", "None")
    assert app.reached == 1


def test_type_and_param_of_the_refusal_are_told():
    error = refusal()
    error.type, error.param = "router_error", "model"
    app = App()
    app.attach()
    _, converted = app.answer(error)
    assert (converted.type, converted.param) == ("router_error", "model")


def test_another_error_finds_no_handler():
    app = App()
    app.attach()
    assert app.answer(ValueError("something else")) is None
    assert app.reached == 0


@pytest.mark.parametrize("scope", [WEBSOCKET, {}], ids=["websocket", "unknown"])
def test_what_is_no_http_request_goes_on_as_without_us(scope):
    app, error = App(), refusal()
    app.attach()
    with pytest.raises(type(error)) as caught:
        app.answer(error, scope)
    assert caught.value is error
    assert app.reached == 0


def test_on_a_websocket_somebody_elses_handler_of_a_base_class_answers():
    app = App()
    app.attach()
    app.exception_handlers[ValueError] = lambda request, error: "theirs"
    assert app.answer(refusal(), WEBSOCKET) == "theirs"


def test_without_litellms_handler_a_refusal_goes_on_as_without_us(lines):
    app, error = App(), refusal()
    app.attach()
    del app.exception_handlers[app.converting]
    with pytest.raises(type(error)) as caught:
        app.answer(error)
    assert caught.value is error
    assert app.reached == 0
    assert lines == []


def test_a_handler_that_came_later_has_the_last_word():
    app, error = App(), refusal()
    app.attach()
    ours = [*app.exception_handlers.values()][-1]
    app.exception_handlers[type(error)] = lambda request, error: "theirs"
    assert asyncio.run(ours(types.SimpleNamespace(scope=HTTP), error)) == "theirs"
    assert app.reached == 0


def test_it_goes_as_it_came():
    app = App()
    before = dict(app.exception_handlers)
    undo = app.attach()
    assert app.exception_handlers != before
    undo()
    assert app.exception_handlers == before


@pytest.mark.parametrize("make", [refusal, basic, limit, budget])
def test_an_app_that_handles_a_refusal_itself_is_left_alone(make):
    app = App()
    app.exception_handlers[type(make())] = "theirs"
    before = dict(app.exception_handlers)
    with pytest.raises(DoesNotFit) as caught:
        app.attach()
    assert str(caught.value) == "the app already has a handler for a refusal of the router"
    assert app.exception_handlers == before


def test_an_error_class_that_is_made_with_something_else_is_left_alone(monkeypatch):
    class ProxyException(Exception):
        def __init__(self, message, type, param):
            pass

    app = App()
    monkeypatch.setattr(sys.modules["litellm.proxy._types"], "ProxyException", ProxyException)
    with pytest.raises(DoesNotFit) as caught:
        app.attach()
    assert str(caught.value) == "ProxyException has no parameter code"


@pytest.mark.parametrize("app", [None, object(), types.SimpleNamespace(exception_handlers=[])])
def test_what_is_no_app_has_no_table(app):
    with pytest.raises(DoesNotFit) as caught:
        table_of(app, SEAM)
    name = type(app).__name__
    expected = f"litellm.proxy.proxy_server:app: {name} has no table of exception handlers"
    assert str(caught.value) == expected


def test_the_table_of_an_app_is_the_very_one():
    app = App()
    assert table_of(app, SEAM) is app.exception_handlers


def test_a_class_is_read_from_a_module_that_is_loaded():
    assert loaded_class("builtins", "ValueError") is ValueError
    for module, name in (("builtins", "len"), ("builtins", "Missing"), ("not_loaded", "Missing")):
        with pytest.raises(DoesNotFit) as caught:
            loaded_class(module, name)
        assert str(caught.value) == f"{module} has no class {name}"


def test_a_failure_of_ours_is_said_and_the_refusal_goes_on(monkeypatch, lines):
    def broken(*args):
        raise ZeroDivisionError

    monkeypatch.setattr(proxy_app, "_as_proxy_exception", broken)
    app, error = App(), refusal()
    app.attach()
    with pytest.raises(type(error)):
        app.answer(error)
    said = "seam proxy-app failed, the refusal goes on as without it: ZeroDivisionError in "
    assert [line.getMessage().startswith(said) for line in lines] == [True]
