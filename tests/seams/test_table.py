"""The table of seams, compared with LiteLLM and with the entry points that repeat it."""

from __future__ import annotations

import configparser
import operator
import textwrap
import types
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import has_rust_router, litellm_has

from litellm_patch.activation.seam_state import APPLIED, NATIVE, SKIPPED, SeamState
from litellm_patch.seams import seam
from litellm_patch.seams.seam import PYTHON, RUST, Seam
from litellm_patch.seams.table import SEAMS

SETUP = Path(__file__).parents[2] / "setup.cfg"


def test_entry_points_name_the_modules_of_the_table():
    setup = configparser.ConfigParser(interpolation=None, delimiters="=")
    setup.read(SETUP)
    lines = setup["options.entry_points"]["litellm_patch"].strip().splitlines()
    published = {name.strip(): hook.strip() for name, _, hook in (x.partition("=") for x in lines)}
    modules = {seam.module for seam in SEAMS}
    assert published == {module: "litellm_patch.activation.hooks:on_import" for module in modules}


OF_PYTHON = ("cooldown-begin", "cooldown-left", "fallbacks")
OF_RUST = ("cooldown-put", "cooldown-put-async", "cooldown-active", "fallbacks-rust")
OF_ANY = ("refusal", "budgets", "proxy-exception", "stream-errors")
OF_THE_APP = ("proxy-app", "proxy-app-http", "proxy-app-cors")


def test_names_are_those_that_operators_read_in_the_log_and_in_metrics():
    names = (*OF_PYTHON, *OF_RUST, *OF_ANY, *OF_THE_APP)
    assert sorted(row.name for row in SEAMS) == sorted(names)


# The places where LiteLLM's routers differ. An environment has one of the two.
OF_BOTH = {
    "litellm.router_utils.cooldown_cache": """
        class CooldownCache:
            def __init__(self, {store}, default_cooldown_time): ...
            def add_deployment_to_cooldown(self, model_id, original_exception, cooldown_time): ...
            def get_active_cooldowns(self, model_ids, parent_otel_span): ...
            def get_min_cooldown(self, model_ids, parent_otel_span): ...
    """,
    "litellm.router_utils.fallback_event_handlers": """
        async def log_failure_fallback_event(original_model_group, kwargs, original_exception): ...
    """,
}
IN_RUST = {
    "litellm.redis.stores.router_cooldowns": """
        class RouterCooldownStore:
            def put(self, model_id, value, ttl): ...
            async def async_put(self, model_id, value, ttl): ...
    """,
    "litellm.router_rust.invoke.walk": """
        class FallbackOutcomes:
            def done(self, event, level_error, hop_error, kwargs): ...
    """,
}


def shaped(router: str) -> dict[str, types.ModuleType]:
    """New modules with the places of a release, by their names."""
    made = {}
    for name, source in {**OF_BOTH, **(IN_RUST if router == RUST else {})}.items():
        made[name] = types.ModuleType(name)
        source = source.replace("{store}", "store" if router == RUST else "cache")
        exec(textwrap.dedent(source), vars(made[name]))  # noqa: S102
    return made


@pytest.mark.parametrize(
    "router, own, others", [(PYTHON, OF_PYTHON, OF_RUST), (RUST, OF_RUST, OF_PYTHON)]
)
def test_each_seam_fits_the_router_that_it_is_for(monkeypatch, router, own, others):
    monkeypatch.setattr(seam, "has_rust_router", lambda: router == RUST)
    modules, states = shaped(router), {}
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


def place(module: object, row: Seam) -> object:
    """The place of a seam as it is now. (A wrapper of wrapt equals what it wraps.)"""
    holder, _, name = row.attribute.rpartition(".")
    found = vars(operator.attrgetter(holder)(module) if holder else module).get(name)
    return dict(found.exception_handlers) if name == "app" else id(found)


def test_each_seam_fits_the_installed_litellm_and_comes_off_again(stock):
    for row in SEAMS:
        if row.module in stock:
            module, state = stock[row.module], SeamState(row)
            before = place(module, row)
            state.apply(module)
            idle = row.name in not_needed()
            assert (row.name, state.state) == (row.name, NATIVE if idle else APPLIED)
            assert (place(module, row) == before) is ("this release" in state.reason) is idle
            assert (row.name, state.take_off(), place(module, row)) == (row.name, "", before)
    assert {row.module for row in SEAMS if not absent(row.module)} == set(stock)


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
