"""An operator's model groups with the stand-in in the place of every provider.

Of a deployment, only the settings by which the router chooses, limits and cools it are taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .endpoints import OPENAI
from .groups import CAN_CHAT, PATH_OF
from .harmless import WORDS_OF_DEPLOYMENT, WORDS_OF_MODEL, of_deployment
from .proxy import group


@dataclass(frozen=True)
class Deployment:
    """The provider whose API calls the stand-in, and the harmless part of ``litellm_params`` and
    ``model_info``."""

    provider: str
    params: Mapping[str, Any] = field(default_factory=dict)
    model_info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OwnGroup:
    """A model group of the operator's."""

    name: str
    deployments: tuple[Deployment, ...]

    def entries(self, stand_in_url: str) -> list[Any]:
        """The group's part of a ``model_list``."""
        return [
            {**entry, **({"model_info": dict(each.model_info)} if each.model_info else {})}
            for number, each in enumerate(self.deployments)
            for entry in group(
                self.name,
                stand_in_url,
                [f"own-{number}"],
                provider=each.provider,
                path=PATH_OF[each.provider],
                **each.params,
            )
        ]


def own_groups(model_list: object) -> tuple[OwnGroup, ...]:
    """The groups in a ``model_list``, in its order; malformed entries are ignored."""
    found: dict[str, list[Deployment]] = {}
    for entry in _entries(model_list):
        found.setdefault(entry["model_name"], []).append(_deployment(entry))
    return tuple(OwnGroup(name, tuple(deployments)) for name, deployments in found.items())


def left_out_of_models(model_list: object) -> list[str]:
    """The names of the settings that are taken from no deployment, each once."""
    found: dict[str, None] = {}
    for entry in _entries(model_list):
        taken = _deployment(entry)
        parts = {"litellm_params": {"model", *taken.params}, "model_info": {*taken.model_info}}
        for part, kept in parts.items():
            found.update(
                (f"{part}.{key}", None) for key in _mapping(entry.get(part)) if key not in kept
            )
        found.update((str(key), None) for key in entry if key not in ("model_name", *parts))
    return [f"model_list.{name}" for name in found]


def _entries(model_list: object) -> Iterator[Mapping[str, Any]]:
    for entry in model_list if isinstance(model_list, list) else ():
        name = entry.get("model_name") if isinstance(entry, Mapping) else None
        if isinstance(name, str) and name:
            yield entry


def _deployment(entry: Mapping[str, Any]) -> Deployment:
    """An entry's deployment; OpenAI's API stands for those that the stand-in does not know."""
    params, info = _mapping(entry.get("litellm_params")), _mapping(entry.get("model_info"))
    prefix = str(params.get("model", "")).partition("/")[0]
    return Deployment(
        prefix if prefix in CAN_CHAT else OPENAI,
        of_deployment(params, WORDS_OF_DEPLOYMENT),
        of_deployment(info, WORDS_OF_MODEL),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
