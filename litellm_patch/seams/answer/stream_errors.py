"""A stream that fails before it begins tells the wait, too.

Some streams ask their provider only when they are read for the first time (Gemini's). Then
the refusal becomes a `ProxyException`, that becomes the text of the stream's first event, and
LiteLLM, which reads this event before it answers, makes a JSON answer of it (1.83 and later):
with the status and the message of the exception, and without its headers. Between the two there
is a task of its own in newer releases, so that the message is all that links them.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from ...wait.headers import RETRY_AFTER, RETRY_AFTER_MS, SHOULD_RETRY

_KEPT_AT_MOST = 100
_AGE = 10.0
"""Seconds after which what was kept belongs to no stream that is still to be answered."""

_told: deque[tuple[int, float, dict[str, str]]] = deque(maxlen=_KEPT_AT_MOST)


def remember(message: str, headers: Mapping[str, str]) -> None:
    """Keep what the client is to be told with `message`, in case that it is a stream's."""
    names = (RETRY_AFTER, RETRY_AFTER_MS, SHOULD_RETRY)
    wait = {name: headers[name] for name in names if name in headers}
    if wait:
        _told.append((hash(message), time.monotonic(), wait))


def say_in_its_place(instance: object, arguments: Mapping[str, Any], answer: Any) -> None:
    """Give the JSON answer of a stream that did not begin the headers of its exception."""
    if answer.status_code != 429 or RETRY_AFTER in answer.headers:
        return
    error = json.loads(answer.body).get("error")
    message = hash(error.get("message")) if isinstance(error, dict) else None
    # Of several with one message the last: it was made a moment ago.
    for kept in reversed([*_told]):
        said, at, wait = kept
        if said == message and time.monotonic() - at <= _AGE:
            _told.remove(kept)
            answer.headers.update(wait)
            return
