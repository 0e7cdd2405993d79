"""The static look at a release: it must be able to say no."""

from __future__ import annotations

import dataclasses

import pytest
from sweep import FITS, OTHER, PYTHON, RUST, SEAMS, Row, parsed, state, table

SEAM = dataclasses.replace(
    SEAMS[0],
    module="litellm.place",
    attribute="Thing.method",
    parameters=("a", "b"),
    init_parameter="",
    router="",
)
THING = "class Thing:\n    def method(self, a, *, b): ...\n"


@pytest.fixture
def release(tmp_path):
    parsed.cache_clear()

    def write(**modules: str):
        for name, text in modules.items():
            path = tmp_path.joinpath("litellm", *name.split("__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


@pytest.mark.parametrize(
    "modules, expected",
    [
        ({"place": THING}, FITS),
        ({"place": f"try:\n    import x\nexcept ImportError:\n    pass\n{THING}"}, FITS),
        ({"place": "from litellm.other import Thing\n", "other": THING}, FITS),
        (
            {"place": "from .other import That as Thing\n", "other": "class That: ..."},
            "no That.method",
        ),
        ({"other": THING}, "no module litellm.place"),
        ({"place": "class Thing: ...\n"}, "no Thing.method"),
        ({"place": THING.replace("b", "c")}, "no parameter b"),
        ({"place": "class Thing(\n"}, "litellm.place cannot be read: '(' was never closed"),
    ],
)
def test_state(release, modules, expected):
    assert state(release(**modules), SEAM) == expected


@pytest.mark.parametrize(
    "parameter, expected",
    [("cache", FITS), ("store", "Thing.__init__: no parameter cache")],
)
def test_a_class_that_is_made_with_something_else_does_not_fit(release, parameter, expected):
    thing = f"{THING}    def __init__(self, {parameter}): ...\n"
    assert (
        state(release(place=thing), dataclasses.replace(SEAM, init_parameter="cache")) == expected
    )


@pytest.mark.parametrize("router, of_python, of_rust", [(PYTHON, FITS, OTHER), (RUST, OTHER, FITS)])
def test_a_place_of_the_router_that_a_release_does_not_have(release, router, of_python, of_rust):
    seam = dataclasses.replace(SEAM, router=router)
    assert state(release(place=THING), seam) == of_python
    assert state(release(place=THING, router_rust=""), seam) == of_rust


def test_neighbours_that_are_the_same_share_a_row():
    fits, not_ = Row("no", (FITS,)), Row("no", ("no x",))
    text = table({"1": fits, "2": fits, "3": not_, "4": fits}, {"5": "gone"})
    assert "| 1 – 2 | 2 | no | fits |\n| 3 | 1 | no | no x |\n| 4 | 1 | no | fits |" in text
    assert "| 5 | 1 | not to be had: gone |" in text
