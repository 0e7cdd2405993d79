"""Each seam while requests are handled: our part raises or returns rubbish, LiteLLM's stands."""

from __future__ import annotations

import asyncio
import dataclasses
import dis
import inspect
import sys
import types

import pytest
from rubbish import ERRORS, SEAMS, VALUES, Hostile, assert_quiet

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


def globals_of_looks():
    """Every name of its module that a seam's code reads when it runs: each may fail."""
    for seam in PLAIN:
        look = seam.joint._look
        module = sys.modules[look.__module__]
        for name in sorted(names_read(look.__code__, module, set())):
            yield pytest.param(seam, module, name, id=f"{seam.name}-{name}")


def names_read(code: types.CodeType, module: types.ModuleType, found: set[str]) -> set[str]:
    """The module's names that `code` reads, and so on in the module's functions among them."""
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):  # a comprehension or a lambda
            names_read(inner, module, found)
    for read in dis.get_instructions(code):
        if read.opname != "LOAD_GLOBAL" or read.argval in found:
            continue
        value = vars(module).get(read.argval, module)  # what is not there is a builtin
        if value is module:
            continue
        found.add(read.argval)
        value = inspect.unwrap(value) if callable(value) else value
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
            names_read(value.__code__, module, found)
    return found


def call_it(seam, function, instance, arguments):
    """LiteLLM's call, while a refusal is being handled as it would be."""
    refusal = refusal_of(60)
    try:
        raise refusal
    except Exception:
        return function(instance, *arguments)


def refusal_of(seconds):
    from litellm.types.router import RouterRateLimitError

    return RouterRateLimitError(
        model="m", cooldown_time=seconds, enable_pre_call_checks=False, cooldown_list=[]
    )


@pytest.mark.parametrize("fault", ["raises", "is None", "returns an object", "is hostile"])
@pytest.mark.parametrize("seam, module, name", list(globals_of_looks()))
def test_whatever_the_seam_uses_may_fail(stock, seam, module, name, fault, monkeypatch, lines):
    def raising(*args, **kwargs):
        raise ZeroDivisionError("sk-secret-1234")

    broken = {
        "raises": raising,
        "is None": None,
        "returns an object": lambda *a, **k: object(),
        "is hostile": Hostile(),
    }[fault]
    function, instance = attached(seam, like(seam, THEIRS))
    monkeypatch.setitem(vars(module), name, broken)
    instance.code, instance.headers, instance.message = "429", {}, "No deployments available"
    arguments = ["No deployments available"] * len(seam.parameters)
    for _ in range(20):
        assert call_it(seam, function, instance, arguments) is THEIRS
    assert_quiet(lines)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("where", ["arguments", "code", "headers", "message"])
@pytest.mark.parametrize("seam", PLAIN, ids=lambda seam: seam.name)
def test_rubbish_in_arguments_or_on_the_instance_changes_nothing(stock, seam, where, value, lines):
    function, instance = attached(seam, like(seam, THEIRS))
    instance.code, instance.headers, instance.message = "429", {}, "No deployments available"
    setattr(instance, where, VALUES[value])
    argument = VALUES[value] if where == "arguments" else None
    for _ in range(20):
        assert call_it(seam, function, instance, [argument] * len(seam.parameters)) is THEIRS
    assert_quiet(lines)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("seam", PLAIN, ids=lambda seam: seam.name)
def test_a_result_of_any_kind_comes_back_as_it_is(stock, seam, value):
    function, instance = attached(seam, like(seam, VALUES[value]))
    if value == "exception":
        with pytest.raises(ValueError) as caught:
            function(instance)
        assert caught.value is VALUES[value]
    else:
        assert function(instance) is VALUES[value]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("seam", PLAIN, ids=lambda seam: seam.name)
def test_an_error_of_litellms_is_the_same_object(stock, seam, error, lines):
    theirs = ERRORS[error]("theirs")
    function, instance = attached(seam, like(seam, theirs))
    with pytest.raises(type(theirs)) as caught:
        call_it(seam, function, instance, [None] * len(seam.parameters))
    assert caught.value is theirs
    assert lines == []


@pytest.mark.parametrize("error", [*ERRORS, "returns rubbish"])
@pytest.mark.parametrize("seam", PLAIN, ids=lambda seam: seam.name)
def test_the_seams_own_code_or_counter_may_fail(stock, seam, error, lines):
    def look(instance, arguments, result):
        if error in ERRORS:
            raise ERRORS[error]("sk-secret-1234")
        return VALUES["hostile"]

    broken = dataclasses.replace(seam, joint=AfterCall(look))
    function, instance = attached(broken, like(seam, THEIRS))
    for _ in range(50):
        assert function(instance) is THEIRS
    assert_quiet(lines)
    assert len(lines) == (error in ERRORS)


# The handler on the proxy's app.

HANDLER_FAULTS = [*ERRORS, "gone", "returns None", "returns a coroutine"]


@pytest.mark.parametrize("fault", HANDLER_FAULTS)
@pytest.mark.parametrize("where", ["convert", "make", "reached"])
def test_a_refusal_that_escapes_goes_on_escaping(stock, fault, where, monkeypatch, lines):
    from litellm.proxy._types import ProxyException
    from litellm.types.router import RouterRateLimitError

    from litellm_patch.seams.answer import proxy_app

    def broken(*args, **kwargs):
        if fault in ERRORS:
            raise ERRORS[fault]("sk-secret-1234")

    app = types.SimpleNamespace(exception_handlers={ProxyException: lambda request, error: error})
    module = types.SimpleNamespace(app=app)
    seam = next(seam for seam in SEAMS if seam.name == "proxy-app")
    reached = broken if where == "reached" else lambda: None
    undo = seam.joint.attach(module, seam, reached)
    if where == "convert":
        app.exception_handlers[ProxyException] = broken
    if where == "make":
        monkeypatch.setattr(proxy_app, "_as_proxy_exception", broken)
    if fault == "gone" and where == "convert":
        del app.exception_handlers[ProxyException]
    handler = next(
        each
        for key, each in app.exception_handlers.items()
        if getattr(key, "stands_for", None) is RouterRateLimitError
    )
    refusal = refusal_of(60)
    fails = fault in ERRORS
    request = types.SimpleNamespace(scope={"type": "http"})
    for _ in range(20):
        if fails or (fault == "gone" and where == "convert"):
            with pytest.raises(RouterRateLimitError) as caught:
                asyncio.run(handler(request, refusal))
            assert caught.value is refusal
        else:
            asyncio.run(handler(request, refusal))
    assert_quiet(lines)
    assert len(lines) == fails
    undo()
    assert {*app.exception_handlers} <= {ProxyException}
