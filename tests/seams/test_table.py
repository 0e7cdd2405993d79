"""The table of seams, compared with LiteLLM and with the entry points that repeat it."""

from __future__ import annotations

import configparser
import inspect
import json
import operator
import os
import subprocess
import sys
import textwrap
import types
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import has_rust_router, litellm_has

from litellm_patch.activation import hooks
from litellm_patch.activation.seam_state import APPLIED, NATIVE, SKIPPED, SeamState
from litellm_patch.seams import seam
from litellm_patch.seams.seam import PYTHON, RUST
from litellm_patch.seams.table import SEAMS

SETUP = Path(__file__).parents[2] / "setup.cfg"


def test_entry_points_name_the_modules_of_the_table():
    setup = configparser.ConfigParser(interpolation=None, delimiters="=")
    setup.read(SETUP)
    lines = setup["options.entry_points"]["litellm_patch"].strip().splitlines()
    published = {name.strip(): hook.strip() for name, _, hook in (x.partition("=") for x in lines)}
    modules = {seam.module for seam in SEAMS}
    assert published == {module: "litellm_patch.activation.hooks:on_import" for module in modules}


def test_names_are_unique():
    assert len(hooks.STATES) == len(SEAMS)


OF_PYTHON = ("cooldown-begin", "cooldown-left", "fallbacks")
OF_RUST = ("cooldown-put", "cooldown-put-async", "cooldown-active", "fallbacks-rust")

COOLDOWNS = """
    class CooldownCache:
        def __init__(self, {init_parameters}): ...
        def add_deployment_to_cooldown(
            self, model_id, original_exception, exception_status, cooldown_time): ...
        def get_active_cooldowns(self, model_ids, parent_otel_span): ...
        def get_min_cooldown(self, model_ids, parent_otel_span): ...
"""
FALLBACKS = """
    async def log_failure_fallback_event(original_model_group, kwargs, original_exception): ...
"""
SHAPES = {
    # The places where LiteLLM's routers differ. An environment has one of the two.
    "1.89.7": {
        "litellm.router_utils.cooldown_cache": COOLDOWNS.format(
            init_parameters="cache, default_cooldown_time"
        ),
        "litellm.router_utils.fallback_event_handlers": FALLBACKS,
    },
    "1.110.2": {
        "litellm.router_utils.cooldown_cache": COOLDOWNS.format(
            init_parameters="store, default_cooldown_time, *, clock=None"
        ),
        "litellm.router_utils.fallback_event_handlers": FALLBACKS,
        "litellm.redis.stores.router_cooldowns": """
            class RouterCooldownStore:
                def put(self, model_id, value, ttl): ...
                async def async_put(self, model_id, value, ttl): ...
        """,
        "litellm.router_rust.invoke.walk": """
            class FallbackOutcomes:
                def done(self, event, level_error, hop_error, kwargs): ...
        """,
    },
}


def shaped(release: str) -> dict[str, types.ModuleType]:
    """New modules with the places of a release, by their names."""
    made = {}
    for name, source in SHAPES[release].items():
        made[name] = types.ModuleType(name)
        exec(textwrap.dedent(source), vars(made[name]))  # noqa: S102
    return made


@pytest.mark.parametrize(
    "release, own, others", [("1.89.7", OF_PYTHON, OF_RUST), ("1.110.2", OF_RUST, OF_PYTHON)]
)
def test_each_seam_fits_the_router_that_it_is_for(monkeypatch, release, own, others):
    monkeypatch.setattr(seam, "has_rust_router", lambda: release == "1.110.2")
    modules, states = shaped(release), {}
    for row in SEAMS:
        if row.router:
            states[row.name] = state = SeamState(row)
            if row.module in modules:
                state.apply(modules[row.module])
            else:
                state.give_up()
    assert {name: state.state for name, state in states.items()} == {
        **dict.fromkeys(own, APPLIED),
        **dict.fromkeys(others, NATIVE),
    }
    assert {state.reason for state in states.values()} == {"", "this release has the other router"}
    routers = {**dict.fromkeys(OF_PYTHON, PYTHON), **dict.fromkeys(OF_RUST, RUST)}
    assert {name: state.seam.router for name, state in states.items()} == routers


@pytest.mark.parametrize(
    "name, becomes",
    [("budgets", NATIVE), ("stream-errors", NATIVE), ("refusal", SKIPPED)],
)
def test_a_release_that_has_no_such_place_may_not_need_it(name, becomes):
    (row,) = [each for each in SEAMS if each.name == name]
    state = SeamState(row)
    state.apply(types.ModuleType(row.module))
    place = row.attribute if becomes == SKIPPED else row.attribute.partition(".")[0]
    assert (state.state, state.reason.partition(" has no ")[2]) == (becomes, place)


def parameters(module: object, attribute: str) -> list[str]:
    return list(inspect.signature(operator.attrgetter(attribute)(module)).parameters)


def test_each_seam_fits_the_installed_litellm(stock):
    for row in SEAMS:
        if row.module in stock:
            state = SeamState(row)
            state.apply(stock[row.module])
            expected = NATIVE if row.name in not_needed() else APPLIED
            assert (row.name, state.state, state.take_off()) == (row.name, expected, "")


@pytest.mark.skipif(version("litellm") not in SHAPES, reason="for those releases")
def test_the_shapes_are_those_of_the_release(stock):
    made = shaped(version("litellm"))
    for row in SEAMS:
        if row.router and row.module in made:
            places = [row.attribute, *[row.attribute.partition(".")[0]] * bool(row.init_parameter)]
            for place in places:
                real = parameters(stock[row.module], place)
                assert parameters(made[row.module], place) == real
        elif row.router:
            assert absent(row.module)


def not_needed() -> set[str]:
    """The seams that are not needed in the installed release."""
    other = PYTHON if has_rust_router() else RUST
    idle = {"budgets"} if absent("litellm.router_strategy.budget_limiter") else set()
    if not litellm_has("JSONResponse", "proxy/common_request_processing.py"):
        idle.add("stream-errors")
    return idle | {seam.name for seam in SEAMS if seam.router == other}


def absent(module: str) -> bool:
    try:
        return find_spec(module) is None
    except ModuleNotFoundError:  # a package above it is not there
        return True


APPLY_AND_TAKE_OFF = """
import importlib, json, sys, litellm.proxy.proxy_server, litellm_patch
from litellm.proxy import _types, proxy_server

for module in sys.argv[1:]:  # some are loaded when the first router is made
    importlib.import_module(module)

def places():
    return [vars(_types.ProxyException)["__init__"], dict(proxy_server.app.exception_handlers)]

applied = places()
states = [(seam.name, seam.state, seam.reason) for seam in litellm_patch.status().seams]
litellm_patch.deactivate()
litellm_patch.deactivate()
stock = places()
litellm_patch.activate()
litellm_patch.activate()
again = places()
litellm_patch.deactivate()
back = places()
print(json.dumps([
    states,
    stock[0] is back[0] and stock == back,
    type(stock[0]).__name__,
    # A wrapper of wrapt equals what it wraps: compare by identity.
    [applied[0] is not stock[0], applied[1] != stock[1]],
    [again[0] is not stock[0], again[1] != stock[1]],
]))
"""


def test_every_seam_is_applied_to_the_installed_litellm_and_comes_off_again():
    modules = sorted({seam.module for seam in SEAMS if not absent(seam.module)})
    done = subprocess.run(
        [sys.executable, "-c", APPLY_AND_TAKE_OFF, *modules],
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    states, restored, kind, differs, differs_again = json.loads(done.stdout.splitlines()[-1])
    idle = not_needed()
    assert {name: state for name, state, _ in states} == {
        seam.name: "native" if seam.name in idle else "applied" for seam in SEAMS
    }
    assert {name for name, _, reason in states if "this release" in reason} == idle
    assert restored
    assert kind == "function"
    assert differs == differs_again == [True, True]
