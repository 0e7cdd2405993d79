"""How long a wait a client acts on, by what its SDK says about itself.

Read in the sources of the SDKs (`_calculate_retry_timeout` and `_should_retry`) and seen in real
runs (tests/clients/TABLE.md). What is built on an SDK, such as LangChain, names itself like it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LONGEST = 120.0
"""Seconds. openai-python from 2.53 on honours so much; anthropic-python from 1.10 on anything, but
its callers should not have to wait longer either."""

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
