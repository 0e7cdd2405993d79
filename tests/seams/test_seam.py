"""Whether a release needs a seam is read from its modules, never from its version."""

from __future__ import annotations

import sys
import types

import pytest

from litellm_patch.seams import seam

OTHER = "this release has the other router"


class WithStore:
    def __init__(self, store):
        pass


@pytest.fixture
def litellm_is(monkeypatch, tmp_path):
    """Let a LiteLLM with this router be the one that is loaded."""

    def load(router: str) -> None:
        package = types.ModuleType("litellm")
        if router.startswith("in "):
            folder = tmp_path / router
            folder.mkdir()
            package.__path__ = [str(folder)]
            if router == "in Rust":
                (folder / "router_rust").mkdir()
                (folder / "router_rust" / "__init__.py").touch()
        monkeypatch.setitem(sys.modules, "litellm", package)
        if router == "not loaded":
            del sys.modules["litellm"]

    return load


def test_a_release_whose_module_lacks_the_place_needs_no_seam():
    assert seam.always_needed(None) == ""
    unneeded = seam.lacks("JSONResponse")
    assert unneeded(types.SimpleNamespace(JSONResponse=None)) == ""
    assert unneeded(types.SimpleNamespace()) == "this release has no JSONResponse"


@pytest.mark.parametrize("made, why", [(WithStore, OTHER), (int.__add__, ""), (None, "")])
def test_the_class_of_the_other_router_takes_something_else(made, why):
    unneeded = seam.takes("CooldownCache", "store")
    assert unneeded(types.SimpleNamespace(CooldownCache=made)) == why
    assert unneeded(types.SimpleNamespace()) == ""


@pytest.mark.parametrize(
    "router, has",
    [("in Python", False), ("in Rust", True), ("a single file", False), ("not loaded", False)],
)
def test_the_router_in_rust_is_a_package_of_the_loaded_litellm(litellm_is, router, has):
    litellm_is(router)
    assert seam.has_rust_router() is has
    assert seam.with_rust(None) == (OTHER if has else "")
    assert seam.without_rust(types.SimpleNamespace()) == ""
    assert seam.without_rust(None) == ("" if has else OTHER)
