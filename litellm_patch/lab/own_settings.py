"""What of an operator's own configuration a proxy of the laboratory may take over.

Kept are plain values that say how the router and the proxy behave. Left out, by name, is
whatever could hold a secret, reach a machine, or load code: the laboratory needs none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NEVER = (
    "key url host password secret token redis database _db auth callback alert pass_through "
    "fallback alias custom store cache otel sso email path file port user"
).split()
_SECTIONS = ("router_settings", "general_settings")


class CannotRead(ValueError):
    """The file is no configuration that can be used; the text says why, without content."""


@dataclass(frozen=True)
class OwnSettings:
    """Sections of an operator's configuration, and the names of what was left out."""

    sections: Mapping[str, Mapping[str, Any]]
    left_out: tuple[str, ...]


def read_settings(file: Path) -> OwnSettings:
    """The settings of the router and the proxy in a LiteLLM configuration (YAML).

    Raises:
        CannotRead: it is missing, or no mapping in YAML.
    """
    try:
        import yaml
    except ImportError as error:
        raise CannotRead("PyYAML is needed, which litellm[proxy] brings") from error
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotRead(f"{file}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:  # its text quotes the file
        raise CannotRead(f"{file} is no YAML") from error
    if not isinstance(content, Mapping):
        raise CannotRead(f"{file} is no mapping")
    sections, left_out = {}, []
    for name in _SECTIONS:
        section = content.get(name) or {}
        if not isinstance(section, Mapping):
            raise CannotRead(f"{name} in {file} is no mapping")
        sections[name] = {str(key): v for key, v in section.items() if _is_plain(str(key), v)}
        left_out += [f"{name}.{key}" for key in section if str(key) not in sections[name]]
    return OwnSettings(sections, tuple(left_out))


def _is_plain(key: str, value: object) -> bool:
    if any(word in key.lower() for word in _NEVER):
        return False
    if isinstance(value, Mapping):
        return all(_is_plain(str(inner), each) for inner, each in value.items())
    if isinstance(value, str):
        return not value.startswith("os.environ/") and "://" not in value
    return value is None or isinstance(value, (bool, int, float))
