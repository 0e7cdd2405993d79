"""The longest wait that a client acts on, by what its SDK says about itself.

The limits were read in the sources of the SDKs (`_calculate_retry_timeout` and `_should_retry`)
and seen in real runs (tests/clients/TABLE.md). Libraries that use an SDK, such as LangChain, send
the SDK's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LONGEST = 120.0
"""Seconds. openai-python 2.53 and later honour this much. anthropic-python 1.10 and later honour
any wait, but their callers should not have to wait longer either."""

_SINCE = {"OpenAI": (2, 53), "Anthropic": (1, 10)}
_USER_AGENT = re.compile(r"(?:Async)?(OpenAI|Anthropic)/Python (\d{1,4})\.(\d{1,4})")


def honoured_by(headers: Mapping[object, object]) -> float | None:
    """Seconds that the client which sent these headers acts on; None for an unknown client."""
    for name, value in headers.items():
        if str(name).lower() == "user-agent":
            found = _USER_AGENT.match(str(value))
            if found is None:
                return None
            sdk, major, minor = found.groups()
            return LONGEST if (int(major), int(minor)) >= _SINCE[sdk] else None
    return None
