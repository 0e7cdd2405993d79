"""The proxy says it: `ProxyException` is what every 429 of the proxy is made of.

Wrapping the exception, rather than the handler that most endpoints share, reaches text
completions, images, audio, moderations, rerank and Anthropic messages too, and the newest
releases, where ``/v1/messages`` builds a `ProxyException` that it never raises.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any

from ..options import current
from ..report import once
from ..wait.headers import with_retry_after
from ..wait.limits import find_own_refusal
from ..wait.provider import find_provider_wait
from .paced_wait import paced


def say_retry_after(error: Any, arguments: Mapping[str, Any], result: object) -> None:
    """Give a new 429 the ``Retry-After`` of the refusal that is being handled, if there is one.

    The refusal is looked up in `sys.exc_info()`: LiteLLM builds the `ProxyException` inside
    the `except` block that caught it, also where a callback replaced it by something else.
    """
    if str(error.code) != "429":
        return
    handled, now = sys.exc_info()[1], time.monotonic()
    refusal = find_own_refusal(handled, error.message, now, time.time())
    if refusal is None and current().forward_provider:
        refusal = find_provider_wait(handled, error.message)
    if refusal is None:
        return
    if refusal.seconds is None:
        once(logging.DEBUG, "a refusal of the router has no usable cooldown time: no Retry-After")
        return
    # A new dict: the caller's may be shared, and LiteLLM updates such dicts in place.
    error.headers = with_retry_after(error.headers, paced(refusal, handled, now))
