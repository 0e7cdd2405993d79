"""One model group for each provider that a kind of request needs, all at the stand-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .cooling import CHAT
from .endpoints import ANTHROPIC, ENDPOINTS, GEMINI, OPENAI, Endpoint
from .proxy import group

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
