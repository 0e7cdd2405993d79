"""An operator's model groups with the stand-in in the place of every provider.

Of a deployment no more is taken than the numbers by which the router chooses and cools it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from .endpoints import OPENAI
from .groups import CAN_CHAT, PATH_OF
from .proxy import group

_TAKEN = ("rpm", "tpm", "weight", "order", "max_parallel_requests", "cooldown_time")

Deployment = tuple[str, Mapping[str, float]]
"""The provider by whose API the stand-in is called, and the numbers that were taken."""


@dataclass(frozen=True)
class OwnGroup:
    """A model group of the operator's."""

    name: str
    deployments: tuple[Deployment, ...]

    @property
    def is_pattern(self) -> bool:
        """Whether the name stands for many models."""
        return "*" in self.name

    def entries(self, stand_in_url: str) -> list[Any]:
        """The group's part of a ``model_list``."""
        return [
            entry
            for number, (provider, numbers) in enumerate(self.deployments)
            for entry in group(
                self.name,
                stand_in_url,
                [f"own-{number}"],
                provider=provider,
                path=PATH_OF[provider],
                **numbers,
            )
        ]


def own_groups(model_list: object) -> tuple[OwnGroup, ...]:
    """The groups in a configuration's ``model_list``, in its order; what is none is left out."""
    found: dict[str, list[Deployment]] = {}
    for entry in model_list if isinstance(model_list, list) else ():
        name = entry.get("model_name") if isinstance(entry, Mapping) else None
        if isinstance(name, str) and name:
            params = entry.get("litellm_params")
            found.setdefault(name, []).append(
                _deployment(params if isinstance(params, Mapping) else {})
            )
    return tuple(OwnGroup(name, tuple(deployments)) for name, deployments in found.items())


def _deployment(params: Mapping[str, Any]) -> Deployment:
    """A provider that the stand-in does not know is called by OpenAI's API."""
    prefix = str(params.get("model", "")).partition("/")[0]
    provider = prefix if prefix in CAN_CHAT else OPENAI
    numbers = {name: params[name] for name in _TAKEN if _is_number(params.get(name))}
    return provider, numbers


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
