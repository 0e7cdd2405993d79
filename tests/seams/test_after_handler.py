"""LiteLLM's handler answers first; ours then looks at the answer and can do no harm."""

from __future__ import annotations

import asyncio
import types
from unittest.mock import Mock

import pytest
from starlette.exceptions import HTTPException

from litellm_patch.seams.after_handler import AfterHandler
from litellm_patch.seams.seam import DoesNotFit
from litellm_patch.seams.table import SEAMS

(SEAM,) = [seam for seam in SEAMS if seam.name == "proxy-app-http"]
ERROR = HTTPException(429)


@pytest.mark.parametrize("outcome", [True, False, ZeroDivisionError])
def test_it_looks_at_litellms_answer_and_comes_off_again(outcome, lines):
    theirs, look, reached = Mock(return_value="theirs"), Mock(side_effect=[outcome]), Mock()
    app = types.SimpleNamespace(exception_handlers={HTTPException: theirs})
    joint = AfterHandler(("starlette.exceptions", "HTTPException"), look)
    undo = joint.attach(types.SimpleNamespace(app=app), SEAM, reached)
    assert asyncio.run(app.exception_handlers[HTTPException]("request", ERROR)) == "theirs"
    look.assert_called_once_with("theirs", "request", ERROR)
    assert reached.called is (outcome is True)
    said = "seam proxy-app-http failed, LiteLLM's own answer stands: ZeroDivisionError in "
    assert [line[: len(said)] for line in lines] == [said] * len(lines)
    assert len(lines) == (outcome is ZeroDivisionError)
    undo()
    assert app.exception_handlers == {HTTPException: theirs}


@pytest.mark.parametrize("name", ["proxy-app-http", "proxy-app-cors"])
def test_an_app_without_litellms_handler_is_left_alone(name):
    import litellm.proxy._types  # noqa: F401 - has one of the classes

    (seam,) = [each for each in SEAMS if each.name == name]
    app = types.SimpleNamespace(exception_handlers={})
    with pytest.raises(DoesNotFit, match="^litellm.proxy.proxy_server:app handles no [HP]"):
        seam.joint.attach(types.SimpleNamespace(app=app), seam, lambda: None)
    assert app.exception_handlers == {}
