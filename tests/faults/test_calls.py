"""Each seam while requests are handled: our part raises or returns rubbish, LiteLLM's stands."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import types
from unittest.mock import Mock

import pytest
from litellm_errors import refusal
from rubbish import ERRORS, SEAMS, VALUES, assert_quiet

from litellm_patch.activation.seam_state import APPLIED, SeamState
from litellm_patch.seams.after_call import AfterCall
from litellm_patch.seams.seam import Seam

CALLS = [seam for seam in SEAMS if isinstance(seam.joint, AfterCall)]
PLAIN = [seam for seam in CALLS if "." in seam.attribute]
THEIRS = object()


def attached(seam: Seam, original) -> tuple:
    """A class like LiteLLM's, with the seam on it, where LiteLLM's function is `original`."""
    first, _, name = seam.attribute.partition(".")

    def made(*args):
        pass

    made.__signature__ = method_with([seam.init_parameter] if seam.init_parameter else [])
    kind = type(first, (), {"__init__": made, name: original})
    module = types.ModuleType(seam.module)
    setattr(module, first, kind)
    state = SeamState(seam)
    state.apply(module)
    assert state.state == APPLIED, state.reason
    return getattr(kind, name), kind.__new__(kind)


def method_with(names) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    optional = [inspect.Parameter(name, kind, default=None) for name in names]
    return inspect.Signature([inspect.Parameter("self", kind), *optional])


def like(seam: Seam, outcome):
    """A function with the parameters that the seam needs, and a known outcome."""

    def function(*args, **kwargs):
        if issubclass(type(outcome), BaseException):
            raise outcome
        return outcome

    function.__signature__ = method_with(seam.parameters)
    return function


def call_it(function, instance, arguments):
    """LiteLLM's call, while a refusal is being handled as it would be."""
    try:
        raise refusal()
    except Exception:
        return function(instance, *arguments)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("where", ["arguments", "code", "headers", "message"])
@pytest.mark.parametrize("seam", PLAIN, ids=lambda seam: seam.name)
def test_rubbish_in_arguments_or_on_the_instance_changes_nothing(stock, seam, where, value, lines):
    function, instance = attached(seam, like(seam, THEIRS))
    instance.code, instance.headers, instance.message = "429", {}, "No deployments available"
    setattr(instance, where, VALUES[value])
    argument = VALUES[value] if where == "arguments" else None
    for _ in range(20):
        assert call_it(function, instance, [argument] * len(seam.parameters)) is THEIRS
    assert_quiet(lines)


@pytest.mark.parametrize("outcome", [*VALUES, *ERRORS])
@pytest.mark.parametrize("seam", PLAIN, ids=lambda seam: seam.name)
def test_what_litellm_returns_or_raises_comes_back_as_it_is(stock, seam, outcome, lines):
    theirs = ERRORS[outcome]("theirs") if outcome in ERRORS else VALUES[outcome]
    function, instance = attached(seam, like(seam, theirs))
    arguments = [None] * len(seam.parameters)
    if issubclass(type(theirs), BaseException):
        with pytest.raises(type(theirs)) as caught:
            call_it(function, instance, arguments)
        assert caught.value is theirs
        assert lines == []
    else:
        assert call_it(function, instance, arguments) is theirs


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("seam", PLAIN, ids=lambda seam: seam.name)
def test_the_seams_own_code_may_fail(stock, seam, error, lines):
    joint = AfterCall(Mock(side_effect=ERRORS[error]("sk-secret-1234")))
    function, instance = attached(dataclasses.replace(seam, joint=joint), like(seam, THEIRS))
    for _ in range(50):
        assert function(instance) is THEIRS
    assert_quiet(lines)
    assert len(lines) == 1


# The handler on the proxy's app.


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("where", ["convert", "make", "reached"])
def test_a_refusal_that_escapes_goes_on_escaping(stock, error, where, monkeypatch, lines):
    from litellm.proxy._types import ProxyException

    from litellm_patch.seams.answer import proxy_app

    broken = Mock(side_effect=ERRORS[error]("sk-secret-1234"))
    convert = broken if where == "convert" else lambda request, error: error
    app = types.SimpleNamespace(exception_handlers={ProxyException: convert})
    (seam,) = [seam for seam in SEAMS if seam.name == "proxy-app"]
    reached = broken if where == "reached" else lambda: None
    undo = seam.joint.attach(types.SimpleNamespace(app=app), seam, reached)
    if where == "make":
        monkeypatch.setattr(proxy_app, "_as_proxy_exception", broken)
    *_, handler = app.exception_handlers.values()
    theirs, request = refusal(), types.SimpleNamespace(scope={"type": "http"})
    for _ in range(20):
        with pytest.raises(type(theirs)) as caught:
            asyncio.run(handler(request, theirs))
        assert caught.value is theirs
    assert_quiet(lines)
    assert len(lines) == 1
    undo()
    assert app.exception_handlers == {ProxyException: convert}
