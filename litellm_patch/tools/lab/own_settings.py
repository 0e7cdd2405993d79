"""What of an operator's own configuration a proxy of the laboratory may take over.

Kept are the settings that are known to be harmless, and the model groups with the stand-in in
the place of their providers. Everything else is left out, and named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .harmless import SECTIONS, harmless
from .own_models import OwnGroup, left_out_of_models, own_groups


class CannotRead(ValueError):
    """The file is no configuration that can be used; the text says why, without content."""


@dataclass(frozen=True)
class OwnSettings:
    """What is taken of an operator's configuration, and the names of what is left out.

    Attributes:
        sections: of the configuration, to be used beside a model list.
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
        CannotRead: it is missing, or no mapping in YAML.
    """
    content = _read(file)
    listed = own_groups(content.get("model_list"))
    groups = tuple(group for group in listed if not group.is_pattern)
    left_out = [f"model_list.{group.name}" for group in listed if group.is_pattern]
    left_out += left_out_of_models(content.get("model_list"))
    sections = {}
    for name in SECTIONS:
        section = content.get(name) or {}
        if not isinstance(section, Mapping):
            raise CannotRead(f"{name} in {file} is no mapping")
        kept = harmless(name, section)
        if name == "router_settings":
            kept.update(_between_groups(section, {group.name for group in groups}))
        sections[name] = kept
        left_out += [f"{name}.{key}" for key in section if not _is_in(kept, key, section)]
    left_out += [str(name) for name in content if name not in ("model_list", *SECTIONS)]
    return OwnSettings(sections, tuple(left_out), groups)


def _is_in(kept: Mapping[str, Any], key: object, section: Mapping[Any, Any]) -> bool:
    return str(key) in kept and kept[str(key)] == section[key]


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
    fallbacks, aliases = section.get("fallbacks"), section.get("model_group_alias")
    kept: dict[str, Any] = {}
    if isinstance(fallbacks, list):
        kept["fallbacks"] = [
            {source: list(targets)}
            for each in fallbacks
            if isinstance(each, Mapping)
            for source, targets in each.items()
            if source in names and isinstance(targets, list) and _all_in(targets, names)
        ]
    if isinstance(aliases, Mapping):
        taken = {alias: group for alias, group in aliases.items() if _all_in([group], names)}
        kept["model_group_alias"] = taken
    return kept


def _all_in(targets: list[Any], names: Collection[str]) -> bool:
    return all(isinstance(target, str) and target in names for target in targets)
