"""The table of seams, and what repeats it because it must."""

from __future__ import annotations

import configparser
import inspect
import json
import os
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import litellm_shapes
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


APPLIED_ON_BOTH = {
    "refusal": APPLIED,
    "budgets": APPLIED,
    "proxy-exception": APPLIED,
    "stream-errors": APPLIED,
    "proxy-app": APPLIED,
    "proxy-app-http": APPLIED,
    "proxy-app-cors": APPLIED,
}
OF_PYTHON = ("cooldown-begin", "cooldown-left", "fallbacks")
OF_RUST = ("cooldown-put", "cooldown-put-async", "cooldown-active", "fallbacks-rust")


@pytest.fixture
def shapes(monkeypatch):
    """Every module that a seam looks at, of a release whose router is of this kind."""

    def of(release: str) -> dict[str, Any]:
        from litellm.proxy import _types
        from starlette.exceptions import HTTPException

        rust = release == "1.110.2"
        monkeypatch.setattr(seam, "has_rust_router", lambda: rust)
        handlers = dict.fromkeys([_types.ProxyException, HTTPException], "theirs")
        app = SimpleNamespace(exception_handlers=handlers)
        return {
            **litellm_shapes.modules(release),
            "litellm.proxy.proxy_server": SimpleNamespace(app=app),
        }

    return of


def judged(row: seam.Seam, modules: dict[str, Any]) -> SeamState:
    state = SeamState(row)
    if row.module in modules:
        state.apply(modules[row.module])
    else:
        state.give_up()
    return state


@pytest.mark.parametrize(
    "release, own, others", [("1.89.7", OF_PYTHON, OF_RUST), ("1.110.2", OF_RUST, OF_PYTHON)]
)
def test_each_seam_fits_the_router_that_it_is_for(shapes, release, own, others):
    modules = shapes(release)
    states = [judged(row, modules) for row in SEAMS]
    assert {state.name: state.state for state in states} == {
        **APPLIED_ON_BOTH,
        **dict.fromkeys(own, APPLIED),
        **dict.fromkeys(others, NATIVE),
    }
    assert {state.reason for state in states} == {"", "this release has the other router"}


def test_a_seam_of_one_router_says_so():
    routers = {**dict.fromkeys(OF_PYTHON, PYTHON), **dict.fromkeys(OF_RUST, RUST)}
    assert {row.name: row.router for row in SEAMS if row.router} == routers


@pytest.mark.parametrize(
    "name, kind, place, why",
    [
        ("budgets", "router_strategy.budget_limiter", "RouterBudgetLimiting", NATIVE),
        ("stream-errors", "proxy.common_request_processing", "JSONResponse", NATIVE),
        ("refusal", "types.router", "RouterRateLimitError", SKIPPED),
    ],
)
def test_a_release_that_has_no_such_place_may_not_need_it(shapes, name, kind, place, why):
    modules = shapes("1.89.7")
    delattr(modules[f"litellm.{kind}"], place)
    (row,) = [each for each in SEAMS if each.name == name]
    state = judged(row, modules)
    assert state.state == why
    assert state.reason.partition("has no")[2].endswith(place + ".__init__" * (why == SKIPPED))


def parameters(module: object, attribute: str) -> list[str]:
    place = module
    for part in attribute.split("."):
        place = getattr(place, part)
    return list(inspect.signature(place).parameters)


@pytest.mark.skipif(version("litellm") not in litellm_shapes.SHAPES, reason="for those releases")
@pytest.mark.parametrize("row", SEAMS, ids=lambda row: row.name)
def test_the_shapes_are_those_of_the_release(stock, row):
    made = litellm_shapes.modules(version("litellm")).get(row.module)
    if made is None:
        assert row.attribute == "app" or absent(row.module)
        return
    real = stock[row.module]
    assert parameters(made, row.attribute) == parameters(real, row.attribute)
    if row.init_parameter:
        kind = row.attribute.partition(".")[0]
        assert parameters(made, kind) == parameters(real, kind)


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
