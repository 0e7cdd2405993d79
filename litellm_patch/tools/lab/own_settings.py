"""Read the part of an operator's configuration that a proxy of the laboratory may take over.

It keeps the settings that are known to be harmless, and the model groups with the stand-in in
the place of their providers. Of a deployment, only the settings by which the router chooses, limits
and cools it are taken. It leaves out and names everything else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cooling import CAN_CHAT, PATH_OF
from .endpoints import OPENAI
from .harmless import SECTIONS, harmless, of_deployment
from .proxy import group


class CannotRead(ValueError):
    """The file is not a usable configuration. The text says why, and quotes nothing of it."""


@dataclass(frozen=True)
class Deployment:
    """The provider whose API calls the stand-in, and the harmless part of ``litellm_params``."""

    provider: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OwnGroup:
    """A model group of the operator's."""

    name: str
    deployments: tuple[Deployment, ...]

    def entries(self, stand_in_url: str) -> list[Any]:
        """The group's part of a ``model_list``."""
        return [
            entry
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


@dataclass(frozen=True)
class OwnSettings:
    """What is taken from an operator's configuration.

    Attributes:
        sections: of the configuration, to be used beside a model list.
        left_out: the names of all other settings.
        groups: the model groups, without those whose name is a pattern.
    """

    sections: Mapping[str, Mapping[str, Any]]
    left_out: tuple[str, ...] = ()
    groups: tuple[OwnGroup, ...] = ()

    @property
    def never_cooling(self) -> tuple[str, ...]:
        """Groups that the router never refuses: it goes on asking their only deployment."""
        return tuple(group.name for group in self.groups if len(group.deployments) < 2)

    @property
    def cooling(self) -> tuple[str, ...]:
        """The other groups."""
        return tuple(group.name for group in self.groups if group.name not in self.never_cooling)

    @property
    def cools_nothing(self) -> bool:
        """Whether the router is told never to cool a deployment down."""
        return bool(self.sections.get("router_settings", {}).get("disable_cooldowns"))


def read_settings(file: Path) -> OwnSettings:
    """The model groups and the settings of the router and the proxy in a LiteLLM configuration.

    Raises:
        CannotRead: it is missing, or not a mapping in YAML.
    """
    content = _read(file)
    listed, of_models = own_groups(content.get("model_list"))
    groups = tuple(group for group in listed if "*" not in group.name)
    left_out = [f"model_list.{group.name}" for group in listed if group not in groups]
    left_out += of_models
    sections = {}
    for name in SECTIONS:
        section = content.get(name) or {}
        if not isinstance(section, Mapping):
            raise CannotRead(f"{name} in {file} is no mapping")
        kept = harmless(name, section)
        if name == "router_settings":
            kept.update(_between_groups(section, [group.name for group in groups]))
        sections[name] = kept
        left_out += [
            f"{name}.{key}"
            for key, value in section.items()
            if key not in kept or kept[key] != value
        ]
    left_out += [str(name) for name in content if name not in ("model_list", *SECTIONS)]
    return OwnSettings(sections, tuple(left_out), groups)


def _read(file: Path) -> Mapping[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotRead(f"{file}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:  # may quote the file
        raise CannotRead(f"{file} is no YAML") from error
    if content is None:
        raise CannotRead(f"{file} is empty: name the proxy's config.yaml")
    if not isinstance(content, Mapping):
        raise CannotRead(f"{file} is no mapping: name the proxy's config.yaml")
    return content


def _between_groups(section: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Fallbacks and aliases, as far as they lead from a group that is taken to such groups."""

    def all_taken(targets: object) -> bool:
        return isinstance(targets, list) and all(target in names for target in targets)

    fallbacks, aliases = section.get("fallbacks"), section.get("model_group_alias")
    kept: dict[str, Any] = {}
    if isinstance(fallbacks, list):
        kept["fallbacks"] = [
            {source: targets}
            for each in fallbacks
            if isinstance(each, Mapping)
            for source, targets in each.items()
            if source in names and all_taken(targets)
        ]
    if isinstance(aliases, Mapping):
        taken = {alias: group for alias, group in aliases.items() if all_taken([group])}
        kept["model_group_alias"] = taken
    return kept


def own_groups(model_list: object) -> tuple[tuple[OwnGroup, ...], list[str]]:
    """The groups in a ``model_list``, in its order, and the names of all settings that are not
    taken, each once. Malformed entries are ignored; OpenAI's API stands for those that the stand-in
    does not know."""
    found: dict[str, list[Deployment]] = {}
    left_out: dict[str, None] = {}
    for entry in model_list if isinstance(model_list, list) else ():
        name = entry.get("model_name") if isinstance(entry, Mapping) else None
        if not (isinstance(name, str) and name):
            continue
        params = entry.get("litellm_params")
        params = params if isinstance(params, Mapping) else {}
        prefix = str(params.get("model", "")).partition("/")[0]
        taken = of_deployment(params)
        deployment = Deployment(prefix if prefix in CAN_CHAT else OPENAI, taken)
        found.setdefault(name, []).append(deployment)
        not_taken = [f"litellm_params.{key}" for key in params if key not in ("model", *taken)]
        not_taken += [str(key) for key in entry if key not in ("model_name", "litellm_params")]
        left_out.update((f"model_list.{key}", None) for key in not_taken)
    return tuple(OwnGroup(name, tuple(each)) for name, each in found.items()), [*left_out]
