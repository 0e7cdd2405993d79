"""Put the wait on `ProxyException`, from which the proxy makes every 429.

Wrapping the exception, rather than the handler that most endpoints share, also reaches text
completions, images, audio, moderations, rerank and Anthropic messages, and the newest releases,
where ``/v1/messages`` builds a `ProxyException` that it never raises.
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

    The refusal is found by `sys.exc_info()`: LiteLLM builds the `ProxyException` inside the
    `except` block that caught the refusal, even where a callback replaced it by another error.
    """
    handled, message = sys.exc_info()[1], error.message
    if str(error.code) == "500" and lead_to_refusals(handled):
        error.code, message = "429", None  # its message does not mention the refusals
    # LiteLLM answers 503 where the only deployment that may serve a follow-up is cooling.
    is_pinned = handled is not None and is_pinned_refusal(handled)
    if str(error.code) != "429" and not (str(error.code) == "503" and is_pinned):
        return
    told = tell(handled, message, error.headers, _SEAM, current().forward_provider)
    if told is None:
        return
    if told.seconds is None:
        once(logging.DEBUG, "a refusal of the router has no usable cooldown time: no Retry-After")
    # A new dict, because LiteLLM shares such dicts and updates them in place.
    error.headers = told.headers
    stream_errors.remember(error.message, error.headers)
