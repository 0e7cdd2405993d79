"""Whether a release needs a seam is read from its modules, never from its version."""

from __future__ import annotations

import dataclasses
import sys
import types

import pytest

from litellm_patch.seams import seam
from litellm_patch.seams.table import SEAMS

OTHER = "this release has the other router"


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


@pytest.mark.parametrize(
    "router, has",
    [("in Python", False), ("in Rust", True), ("a single file", False), ("not loaded", False)],
)
def test_the_router_in_rust_is_a_package_of_the_loaded_litellm(litellm_is, router, has):
    litellm_is(router)
    assert seam.has_rust_router() is has
    of = {each: dataclasses.replace(SEAMS[0], router=each) for each in (seam.PYTHON, seam.RUST)}
    for module in (None, types.SimpleNamespace()):
        assert of[seam.PYTHON].why_unneeded(module) == (OTHER if has else "")
        assert of[seam.RUST].why_unneeded(module) == ("" if has else OTHER)


@pytest.mark.parametrize("mark, is_patched", [(True, True), (1, False), (None, False)])
def test_a_litellm_that_is_patched_in_its_source_says_so(monkeypatch, mark, is_patched):
    monkeypatch.delitem(sys.modules, "litellm.types.router", raising=False)
    assert not seam.in_source()
    module = types.SimpleNamespace(LITELLM_PATCH_IN_SOURCE=mark)
    monkeypatch.setitem(sys.modules, "litellm.types.router", module)
    assert seam.in_source() is is_patched
