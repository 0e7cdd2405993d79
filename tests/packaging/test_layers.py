"""The package's one direction: tools → activation → seams → wait, and no circle within it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import litellm_patch

PACKAGE = Path(litellm_patch.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    .removesuffix("__init__")
    .rstrip("."): path
    for path in PACKAGE.rglob("*.py")
}

LAYERS = (
    # From the lowest. A module imports from its own layer and from those before it.
    ("_version", "switch", "wait"),
    ("log", "trigger", "bootstrap"),
    ("options", "metrics"),
    ("seams.seam", "seams.frames", "seams.app_handlers"),
    ("seams.after_call", "seams.after_handler"),
    ("seams.record",),
    ("seams.refusal",),
    ("seams.answer",),
    ("seams",),
    ("fastapi", "activation"),
    ("tools",),
    ("__main__", ""),
)
ALONE = {"_version", "switch", "wait", "bootstrap"}
"""What these import of the package is their own."""


def imported(name: str) -> Iterator[str]:
    """The modules of the package that `name` imports when it is loaded, or for its types."""
    package = MODULES[name].parent.relative_to(PACKAGE).parts
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            home = [*package[: len(package) - node.level + 1], *filter(None, [node.module])]
            for each in node.names:
                inner = ".".join([*home, each.name])
                yield inner if inner in MODULES else ".".join(home)


def layer(name: str) -> int:
    """The one whose longest prefix of `name` it has."""
    return max(
        (len(prefix), number)
        for number, prefixes in enumerate(LAYERS)
        for prefix in prefixes
        if name == prefix or name.startswith(f"{prefix}.")
    )[1]


@pytest.mark.parametrize("name", sorted(set(MODULES) - {""}))
def test_a_module_imports_from_its_own_layer_and_lower_ones(name):
    assert [other for other in imported(name) if layer(other) > layer(name)] == []
    own = name.partition(".")[0]
    if own in ALONE:
        assert {other.partition(".")[0] for other in imported(name)} <= {own}


def test_there_is_no_circle():
    graph = {name: [*imported(name)] for name in MODULES if name != ""}
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name.startswith("wait.")))
def test_wait_reads_no_clock_and_imports_neither_litellm_nor_wrapt(name):
    text = MODULES[name].read_text()
    assert re.findall(r"^\s*(?:from|import) (litellm|wrapt|time)\b", text, flags=re.M) == []
