"""Clients that say who they are get what they act on; all others what everybody acts on."""

from __future__ import annotations

import pytest

from litellm_patch.wait.known_clients import honoured_by


@pytest.mark.parametrize(
    "agent, seconds",
    [
        ("OpenAI/Python 2.53.0", 120.0),
        ("AsyncOpenAI/Python 3.57.0", 120.0),
        ("OpenAI/Python 2.51.0", None),
        ("OpenAI/Python 1.99.9", None),
        ("AsyncAnthropic/Python 1.10.0", 120.0),
        ("Anthropic/Python 2.14.0", 120.0),
        ("Anthropic/Python 1.5.0", None),
        ("OpenAI/JS 6.49.0", None),
        ("my service, like OpenAI/Python 3.0.0", None),
        ("OpenAI/Python", None),
        ("", None),
    ],
)
def test_an_sdk_is_known_by_its_user_agent(agent, seconds):
    assert honoured_by({"x": "1", "User-Agent": agent}) == seconds


@pytest.mark.parametrize("headers", [{}, {"user-agent": None}, {b"user-agent": 1}])
def test_who_says_nothing_is_unknown(headers):
    assert honoured_by(headers) is None
