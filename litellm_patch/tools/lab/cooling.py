"""Model groups at the stand-in, and how real failures bring them into cooldown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...wait.litellm_errors import NO_DEPLOYMENTS
from .client import Response, call
from .endpoints import ANTHROPIC, ENDPOINTS, GEMINI, OPENAI, Endpoint
from .proxy import Proxy, group

CHAT = next(endpoint for endpoint in ENDPOINTS if endpoint.name == "chat")
_ATTEMPTS = 12  # one per deployment is enough; LiteLLM picks deployments at random

PATH_OF = {OPENAI: "/v1", "mistral": "/v1", ANTHROPIC: "", GEMINI: "/v1beta", "cohere": ""}
"""The end of the base URL of each provider's API."""

CAN_CHAT = tuple(provider for provider in PATH_OF if provider != "cohere")

ROUTE_ALL: Mapping[str, Mapping[str, Any]] = {
    "litellm_settings": {
        # Without it batches and files are not routed to a group at all.
        "enable_loadbalancing_on_batch_endpoints": True,
        # With pre-call checks, up to 1.80, LiteLLM else takes a group's name for a model's.
        "drop_params": True,
    }
}
"""Settings that let requests of every kind reach the group that they name."""


def ask(proxy: Proxy, endpoint: Endpoint, model: str) -> Response:
    """One request of the kind `endpoint` to `model`."""
    path, body, headers = endpoint.request(model)
    return call(proxy.url, path, body, {**proxy.headers, **headers})


def says_so(answer: Response) -> bool:
    """Whether an answer is in the words of the router's refusal."""
    return NO_DEPLOYMENTS.encode() in answer.body


class DidNotCool(RuntimeError):
    """The group is not cooling down after as many failures as should be enough."""


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


def group_of(provider: str) -> str:
    """The name of a provider's group."""
    return f"{provider}-group"


def model_list(stand_in_url: str) -> list[Any]:
    """Entries for a group of two deployments of each provider."""
    found = []
    for provider, path in PATH_OF.items():
        names = [f"{provider}-a", f"{provider}-b"]
        found += group(group_of(provider), stand_in_url, names, provider=provider, path=path)
    return found


def cooled_by(provider: str) -> Endpoint:
    """The kind of request that brings a provider's group into cooldown."""
    rerank = next(endpoint for endpoint in ENDPOINTS if endpoint.name == "rerank")
    return CHAT if provider in CAN_CHAT else rerank
