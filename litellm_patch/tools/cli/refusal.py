"""Whether an answer of a live proxy is a refusal of its own router."""

from __future__ import annotations

import json
import re

from ...wait.litellm_errors import NO_DEPLOYMENTS
from ..lab.client import Response

OWN, FORWARDED, UNCLEAR, NONE = "own", "forwarded", "unclear", "none"

_OF_A_FALLBACK = re.compile(rf"(?:Error doing the fallback|also failed): {NO_DEPLOYMENTS}")
"""A group's refusal begins LiteLLM's message; that of a fallback is appended to the group's own
error, in other words since 1.109."""

_PROVIDER_IS_LITELLM = re.compile(r"Exception\b[^\n]*\blitellm\.\w+(?:Error|Exception)")

_FORWARDED = re.compile(rf"(?:Exception|Error)\b[^\n]*{NO_DEPLOYMENTS}")
"""A provider's message, here that of another LiteLLM, stands behind the class of its error."""


def whose_refusal(answer: Response) -> str:
    """Whose words "No deployments available" in a 429 are.

    A provider that is a LiteLLM itself may answer that it has none, and the proxy forwards its
    words. Its router did not refuse then, and it knows no time.
    """
    if answer.status != 429 or NO_DEPLOYMENTS.encode() not in answer.body:
        return NONE
    message = _message(answer.body)
    if message.startswith(NO_DEPLOYMENTS):
        return UNCLEAR if _has_provider_headers(answer) else OWN
    if _OF_A_FALLBACK.search(message):
        return UNCLEAR if _PROVIDER_IS_LITELLM.search(message) else OWN
    return FORWARDED if _FORWARDED.search(message) else UNCLEAR


def _message(body: bytes) -> str:
    """The text in an error body of OpenAI's, Anthropic's or FastAPI's shape; "" in no such one."""
    try:
        content = json.loads(body)
        error = content.get("error", content.get("detail"))
        message = error.get("message") if isinstance(error, dict) else error
    except (ValueError, AttributeError):
        return ""
    return message.strip() if isinstance(message, str) else ""


def _has_provider_headers(answer: Response) -> bool:
    """Whether LiteLLM sends headers of a provider's answer along, so that one was asked."""
    told_by_litellm = "llm_provider-retry-after"  # also where it refuses by itself
    return any(
        name.startswith("llm_provider-") and name != told_by_litellm for name, _ in answer.headers
    )
