"""For a FastAPI or Starlette app of your own that uses `litellm.Router` without LiteLLM's proxy.

In such an app the router's refusal is a bare `ValueError`, which the app answers with 500.
`install` turns it into a 429 that says when to come back::

    from litellm_patch.fastapi import install

    install(app)

A mounted app has its own exception handlers: install there, too.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Callable, Optional

from .log import once
from .seams.answer.exposed_headers import expose
from .seams.answer.telling import tell
from .seams.app_handlers import (
    OnlySome,
    add_handlers,
    answer_without,
    has_own,
    only,
    own_table,
    tables,
)
from .wait.litellm_errors import is_own_refusal

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

Body = Callable[[Exception, Optional[float]], object]
"""Makes the JSON body from the refusal and the seconds to wait (None: unknown)."""


def openai_body(refusal: Exception, seconds: float | None) -> dict[str, Any]:
    """The error body of the OpenAI API.

    It does not repeat LiteLLM's own message, which lists the cooling deployments and, up to 1.75,
    their providers' answers: an app's clients should not see these.
    """
    model = getattr(refusal, "model", "")
    for_model = f" for model {model}" if model else ""
    wait = "" if seconds is None else f" Try again in {seconds:.0f} seconds."
    return {
        "error": {
            "message": f"No deployments available{for_model}.{wait}",
            "type": "rate_limit_error",
            "param": None,
            "code": "429",
        }
    }


def install(app: Starlette, body: Body = openai_body) -> None:
    """Let `app` answer the router's refusals with 429, ``Retry-After`` and ``retry-after-ms``.

    Works at any time, even while the app is serving, with or without the import hook: with it the
    header tells the time left, without it the configured cooldown. Another call replaces `body`.
    Refusals of a provider are left to the app.

    Args:
        body: see `Body`; if it raises, the default body is sent.

    Raises:
        ImportError: LiteLLM or Starlette is not installed.
    """
    from litellm.exceptions import RateLimitError  # of which the router makes some itself
    from litellm.types.router import RouterRateLimitError, RouterRateLimitErrorBasic
    from starlette.responses import JSONResponse

    always = [RouterRateLimitError, RouterRateLimitErrorBasic]
    # Only some of these are refusals of the router; an app's own handler of the others stays.
    classes = [*always, RateLimitError, ValueError]
    for table in tables(app):
        for key in [*table]:
            if key in always or isinstance(key, OnlySome):
                del table[key]

    async def handler(request: Request, refusal: Exception) -> Any:
        # A WebSocket can no longer carry a header.
        if request.scope.get("type") != "http" or has_own(own_table(app), classes, refusal):
            return await answer_without(own_table(app), request, refusal)
        told = tell(refusal, None, {}, "fastapi")
        seconds, headers = (None, {}) if told is None else (told.seconds, told.headers)
        try:
            answer = JSONResponse(body(refusal, seconds), status_code=429, headers=headers)
        except Exception as error:  # of the app's own callable: a refusal still needs an answer
            once(logging.WARNING, f"the app's body for a refusal failed: {type(error).__name__}")
            content = openai_body(refusal, seconds)
            answer = JSONResponse(content, status_code=429, headers=headers)
        expose(answer, request)
        return answer

    keys = [only(each, is_own_refusal) for each in classes]
    add_handlers(app, dict.fromkeys(keys, handler))
