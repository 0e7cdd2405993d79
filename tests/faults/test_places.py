"""Each place that a seam needs: removed, renamed, replaced, with another signature."""

from __future__ import annotations

import dataclasses
import types
from unittest.mock import Mock

import pytest
from rubbish import ERRORS, SEAMS, VALUES

from litellm_patch.activation import hooks
from litellm_patch.activation.seam_state import APPLIED, FAILED, NATIVE, SKIPPED, SeamState
from litellm_patch.seams.seam import always_needed


class RaisingModule(types.ModuleType):
    """A module whose places cannot even be looked at."""

    def __getattr__(self, name):
        raise RuntimeError(f"no {name} for you")


def other_signature(self):
    return "theirs"


def any_signature(*args, **kwargs):
    return "theirs"


def keywords_renamed(self, a=1, b=2, *, c=3):
    return "theirs"


GONE = object()
FAULTS = {
    **{f"is {name}": value for name, value in VALUES.items() if name != "hostile"},
    "has no parameters": other_signature,
    "takes anything": any_signature,
    "has other parameters": keywords_renamed,
    "is a property": property(other_signature),
    "is a built-in": len,
}


def copy_of(module: types.ModuleType, kind: type = types.ModuleType) -> types.ModuleType:
    """A module with the same content, to be broken; its classes are copies, too."""
    copy = kind(module.__name__)
    vars(copy).update(vars(module))
    return copy


def break_it(copy: types.ModuleType, attribute: str, value: object) -> object:
    """Replace or remove the place; returns the holder of what must stay as it then is."""
    first, _, rest = attribute.partition(".")
    if rest:
        real = getattr(copy, first)
        left_out = ("__dict__", "__weakref__", "__slots__", rest)
        content = {k: v for k, v in vars(real).items() if k not in left_out}
        content.update({} if value is GONE else {rest: value})
        bases = (Exception,) if issubclass(real, BaseException) else ()
        value = type(real.__name__, bases, content)
    if value is GONE:
        delattr(copy, first)
    else:
        setattr(copy, first, value)
    return value if rest else copy


def content_of(holder: object) -> dict:
    return {name: id(value) for name, value in vars(holder).items()}


def left_alone(seam, module, holder=None) -> tuple[str, str]:
    """State and reason after applying, which raised nothing and left nothing behind."""
    before = content_of(module), content_of(holder or module)
    state = SeamState(seam)
    state.apply(module)
    outcome = state.state, state.reason
    assert state.state in (SKIPPED, FAILED, NATIVE)
    assert state.reason
    assert (content_of(module), content_of(holder or module)) == before
    assert state.take_off() == ""
    return outcome


def real(stock, seam):
    if seam.module not in stock:
        pytest.skip(f"this release has no {seam.module}")
    return stock[seam.module]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("seam", SEAMS, ids=lambda seam: seam.name)
def test_a_place_that_is_something_else_is_left_alone(stock, seam, fault):
    copy = copy_of(real(stock, seam))
    left_alone(seam, copy, break_it(copy, seam.attribute, FAULTS[fault]))


@pytest.mark.parametrize(
    "seam, attribute",
    [
        pytest.param(seam, attribute, id=f"{seam.name}-{attribute}")
        for seam in SEAMS
        for attribute in sorted({seam.attribute.partition(".")[0], seam.attribute})
        if not attribute.endswith("__init__")  # every class has one
    ],
)
def test_a_place_that_is_gone_is_left_alone(stock, seam, attribute):
    copy = copy_of(real(stock, seam))
    left_alone(seam, copy, break_it(copy, attribute, GONE))


@pytest.mark.parametrize("seam", SEAMS, ids=lambda seam: seam.name)
def test_a_module_that_raises_when_looked_at_is_left_alone(stock, seam):
    copy = copy_of(real(stock, seam), RaisingModule)
    delattr(copy, seam.attribute.partition(".")[0])
    assert left_alone(seam, copy)[0] != NATIVE


def raising(error):
    return Mock(side_effect=ERRORS[error]("ours"))


def with_joint(seam, attach):
    joint = types.SimpleNamespace(attach=attach)
    return dataclasses.replace(seam, joint=joint, unneeded=always_needed)


@pytest.fixture
def only(monkeypatch):
    """Let the hooks have one seam, and nothing of what other tests did."""

    def use(seam) -> SeamState:
        state = SeamState(seam)
        monkeypatch.setattr(hooks, "STATES", {seam.name: state})
        monkeypatch.setattr(hooks, "_paused", False)
        return state

    return use


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("seam", SEAMS, ids=lambda seam: seam.name)
def test_a_hook_that_raises_fails_no_import_and_says_one_line(stock, seam, error, only, lines):
    state = only(with_joint(seam, raising(error)))
    module = real(stock, seam)
    for _ in range(20):
        hooks.on_loaded(seam.module)
        hooks.on_import(module)
        hooks.resume()
    assert state.state in (FAILED, SKIPPED)
    assert len([line for line in lines if seam.name in line]) == 1


@pytest.mark.parametrize("error", ERRORS)
def test_a_way_back_that_raises_is_a_refusal_and_no_crash(stock, error, only):
    seam = SEAMS[0]
    state = only(with_joint(seam, lambda *args: raising(error)))
    real(stock, seam)
    hooks.on_loaded(seam.module)
    assert state.state == APPLIED
    assert len(hooks.pause()) == 1
    assert state.state == APPLIED


@pytest.mark.parametrize("error", ERRORS)
def test_a_feature_test_that_raises_is_a_failed_seam(stock, error, only):
    state = only(dataclasses.replace(SEAMS[0], unneeded=raising(error)))
    hooks.on_loaded(SEAMS[0].module)
    assert state.state in (FAILED, SKIPPED)
