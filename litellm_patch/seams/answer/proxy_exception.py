"""The proxy says it: `ProxyException` is what every 429 of the proxy is made of.

Wrapping the exception, rather than the handler that most endpoints share, reaches text
completions, images, audio, moderations, rerank and Anthropic messages too, and the newest
releases, where ``/v1/messages`` builds a `ProxyException` that it never raises.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

from ...log import once
from ...options import current
from ...wait.litellm_errors import is_pinned_refusal
from ..refusal.fastest_response import lead_to_refusals
from . import stream_errors
from .telling import tell

_SEAM = "proxy-exception"


def say_retry_after(error: Any, arguments: Mapping[str, Any], result: object) -> None:
    """Give a new 429 the ``Retry-After`` of the refusal that is being handled, if there is one.

    The refusal is looked up in `sys.exc_info()`: LiteLLM builds the `ProxyException` inside
    the `except` block that caught it, also where a callback replaced it by something else.
    """
    handled, message = sys.exc_info()[1], error.message
    if str(error.code) == "500" and lead_to_refusals(handled):
        error.code, message = "429", None  # the message does not say so
    if str(error.code) != "429" and not _is_pinned_503(error, handled):
        return
    told = tell(handled, message, error.headers, _SEAM, current().forward_provider)
    if told is None:
        return
    if told.seconds is None:
        once(logging.DEBUG, "a refusal of the router has no usable cooldown time: no Retry-After")
    # A new dict: the caller's may be shared, and LiteLLM updates such dicts in place.
    error.headers = told.headers
    stream_errors.remember(error.message, error.headers)


def _is_pinned_503(error: Any, handled: BaseException | None) -> bool:
    """Whether LiteLLM answers 503 because the only deployment for the request is cooling."""
    return str(error.code) == "503" and handled is not None and is_pinned_refusal(handled)
