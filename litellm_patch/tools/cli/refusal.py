"""Whether an answer of a live proxy is a refusal by its own router."""

from __future__ import annotations

import json
import re

from ...wait.litellm_errors import NO_DEPLOYMENTS
from ..lab.client import Response

_FORWARDED = "a provider, itself a LiteLLM, refused; this proxy did not: ask that one"
_UNCLEAR = "cannot tell whether this proxy refused or a provider of it"

_OF_A_FALLBACK = re.compile(rf"(?:Error doing the fallback|also failed): {NO_DEPLOYMENTS}")
"""A group's refusal begins LiteLLM's message; that of a fallback is appended to the group's own
error, in other words since 1.109."""

_PROVIDER_IS_LITELLM = re.compile(r"Exception\b[^\n]*\blitellm\.\w+(?:Error|Exception)")

_OF_A_PROVIDER = re.compile(rf"(?:Exception|Error)\b[^\n]*{NO_DEPLOYMENTS}")
"""A provider's message, here that of another LiteLLM, stands behind the class of its error."""


def why_not_its_own(answer: Response) -> str:
    """Why an answer is not, or may not be, a refusal by the proxy's own router; "" if it is one.

    A provider that is a LiteLLM itself may answer that it has no deployments, and the proxy
    forwards its words. Its router did not refuse then, and it knows no time.
    """
    if answer.status == 429 and NO_DEPLOYMENTS.encode() in answer.body:
        message = _message(answer.body)
        if message.startswith(NO_DEPLOYMENTS):
            return _UNCLEAR if _has_provider_headers(answer) else ""
        if _OF_A_FALLBACK.search(message):
            return _UNCLEAR if _PROVIDER_IS_LITELLM.search(message) else ""
        return _FORWARDED if _OF_A_PROVIDER.search(message) else _UNCLEAR
    if answer.status == 429:
        return "this 429 is not a cooldown of the model"
    if answer.status in (401, 403):
        return "the proxy refused the key"
    if answer.status < 400:
        return "the model was not cooling"
    return "this error is no refusal of a cooling model"


def _message(body: bytes) -> str:
    """The text in an error body of OpenAI's, Anthropic's or FastAPI's shape; "" in any other."""
    try:
        content = json.loads(body)
        error = content.get("error", content.get("detail"))
        message = error.get("message") if isinstance(error, dict) else error
    except (ValueError, AttributeError):
        return ""
    return message.strip() if isinstance(message, str) else ""


def _has_provider_headers(answer: Response) -> bool:
    """Whether LiteLLM sends headers of a provider's answer along, so that a provider was asked."""
    told_by_litellm = "llm_provider-retry-after"  # also where it refuses by itself
    return any(
        name.startswith("llm_provider-") and name != told_by_litellm for name, _ in answer.headers
    )
