"""The table of seams, and what repeats it because it must."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from conftest import has_rust_router, litellm_has

from litellm_patch import hooks
from litellm_patch.seams.seam import PYTHON, RUST
from litellm_patch.seams.table import SEAMS

SETUP = Path(__file__).parents[2] / "setup.cfg"


def test_entry_points_name_the_modules_of_the_table():
    setup = configparser.ConfigParser(interpolation=None, delimiters="=")
    setup.read(SETUP)
    lines = setup["options.entry_points"]["litellm_patch"].strip().splitlines()
    published = {name.strip(): hook.strip() for name, _, hook in (x.partition("=") for x in lines)}
    modules = {seam.module for seam in SEAMS}
    assert published == {module: "litellm_patch.hooks:on_import" for module in modules}


def test_names_are_unique():
    assert len(hooks.STATES) == len(SEAMS)


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
