"""LiteLLM's handler answers first; then ours looks at the answer, and can do no harm."""

from __future__ import annotations

import asyncio
import types

import pytest
from starlette.exceptions import HTTPException

from litellm_patch.seams.after_handler import AfterHandler
from litellm_patch.seams.seam import DoesNotFit
from litellm_patch.seams.table import SEAMS

(SEAM,) = [seam for seam in SEAMS if seam.name == "proxy-app-http"]
KIND = ("starlette.exceptions", "HTTPException")
ERROR = HTTPException(429)


class App:
    """An app with the joint on it, whose own handler answers "theirs"."""

    def __init__(self, look) -> None:
        self.reached = 0
        self.own = lambda request, error: "theirs"
        self.exception_handlers = {HTTPException: self.own}
        joint = AfterHandler(KIND, look)
        self.undo = joint.attach(types.SimpleNamespace(app=self), SEAM, self.count)

    def count(self) -> None:
        self.reached += 1

    def answer(self) -> object:
        return asyncio.run(self.exception_handlers[HTTPException]("request", ERROR))


@pytest.mark.parametrize("ours", [True, False])
def test_it_is_reached_by_an_answer_that_was_for_us(ours):
    seen = []

    def look(*what):
        seen.append(what)
        return ours

    app = App(look)
    assert app.answer() == "theirs"
    assert seen == [("theirs", "request", ERROR)]
    assert app.reached == ours


def test_a_failure_of_ours_leaves_litellms_answer(lines):
    assert App(lambda *what: 1 / 0).answer() == "theirs"
    said = "seam proxy-app-http failed, LiteLLM's own answer stands: ZeroDivisionError in "
    assert [line.getMessage().startswith(said) for line in lines] == [True]


def test_litellms_handler_comes_back():
    app = App(lambda *what: False)
    assert app.exception_handlers[HTTPException] is not app.own
    app.undo()
    assert app.exception_handlers == {HTTPException: app.own}


@pytest.mark.parametrize("name", ["proxy-app-http", "proxy-app-cors"])
def test_an_app_without_litellms_handler_is_left_alone(name):
    import litellm.proxy._types  # noqa: F401 - has one of the classes

    (seam,) = [each for each in SEAMS if each.name == name]
    app = types.SimpleNamespace(exception_handlers={})
    with pytest.raises(DoesNotFit, match="^litellm.proxy.proxy_server:app handles no [HP]"):
        seam.joint.attach(types.SimpleNamespace(app=app), seam, lambda: None)
    assert app.exception_handlers == {}
