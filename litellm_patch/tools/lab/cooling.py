"""Bring a model group of a proxy into cooldown, as real failures would."""

from __future__ import annotations

from ...wait.litellm_errors import NO_DEPLOYMENTS
from .client import Response, call
from .endpoints import ENDPOINTS, Endpoint
from .proxy import Proxy

_ATTEMPTS = 12  # one per deployment is enough; LiteLLM picks deployments at random


def ask(proxy: Proxy, endpoint: Endpoint, model: str) -> Response:
    """One request of the kind `endpoint` to `model`."""
    path, body, headers = endpoint.request(model)
    return call(proxy.url, path, body, {**proxy.headers, **headers})


def says_so(answer: Response) -> bool:
    """Whether an answer is in the words of the router's refusal."""
    return NO_DEPLOYMENTS.encode() in answer.body


class DidNotCool(RuntimeError):
    """The group is not cooling down after as many failures as should be enough."""


CHAT = next(endpoint for endpoint in ENDPOINTS if endpoint.name == "chat")


def cool_down(
    proxy: Proxy, model: str, endpoint: Endpoint = CHAT, attempts: int = _ATTEMPTS
) -> Response:
    """Call `model` until its group is cooling; the stand-in must be refusing its deployments.

    Returns the first answer in which LiteLLM itself refused.

    Raises:
        DidNotCool: with LiteLLM's last answer.
    """
    answer = None
    for _ in range(attempts):
        answer = ask(proxy, endpoint, model)
        if says_so(answer):
            return answer
    assert answer is not None
    raise DidNotCool(f"{model} still asks the provider: {answer.status} {answer.body[:300]!r}")
