"""Put the wait on the answer to a stream that fails before it begins.

Some streams (Gemini's) call their provider only when they are first read. The refusal then becomes
a `ProxyException`, and that becomes the text of the stream's first event. LiteLLM reads this event
before it answers and turns it into a JSON answer (1.83 and later) with the status and the message
of the exception but not its headers. In newer releases a separate task lies between the two, so
the message is the only link.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from ...wait.headers import RETRY_AFTER, WAIT_HEADERS

_KEPT_AT_MOST = 100
_AGE = 10.0
"""Seconds after which no stream can still be waiting for kept headers."""

_told: deque[tuple[int, float, dict[str, str]]] = deque(maxlen=_KEPT_AT_MOST)


def remember(message: str, headers: Mapping[str, str]) -> None:
    """Keep the wait that belongs to `message`, in case it is the error of a stream."""
    wait = {name: headers[name] for name in WAIT_HEADERS if name in headers}
    if wait:
        _told.append((hash(message), time.monotonic(), wait))


def say_in_its_place(instance: object, arguments: Mapping[str, Any], answer: Any) -> None:
    """Give the JSON answer to a failed stream the headers of its exception."""
    if answer.status_code != 429 or RETRY_AFTER in answer.headers:
        return
    error = json.loads(answer.body).get("error")
    message = hash(error.get("message")) if isinstance(error, dict) else None
    # Of several with the same message take the last, which was made a moment ago.
    for kept in reversed([*_told]):
        said, at, wait = kept
        if said == message and time.monotonic() - at <= _AGE:
            _told.remove(kept)
            answer.headers.update(wait)
            return
