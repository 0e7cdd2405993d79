"""Which settings of LiteLLM decide routing, cooldowns and limits, and can do nothing else.

A list of what may be taken over, because nobody knows the names of all that may not: a new
release, or an operator's own code, has settings that hold a secret or reach a machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

SECTIONS: Mapping[str, tuple[str, ...]] = {
    # Not the router's retries, which make it refuse later and change nothing else.
    "router_settings": (
        "allowed_fails",
        "allowed_fails_policy",
        "cooldown_time",
        "default_max_parallel_requests",
        "default_priority",
        "disable_cooldowns",
        "enable_pre_call_checks",
        "enable_tag_filtering",
        "enable_weighted_failover",
        "fallback_on_unsupported_params",
        "ignore_invalid_deployments",
        "max_fallbacks",
        "optional_pre_call_checks",
        "polling_interval",
        "provider_budget_config",
        "routing_strategy",
        "routing_strategy_args",
        "stream_timeout",
        "tag_filtering_match_any",
        "timeout",
    ),
    "general_settings": ("global_max_parallel_requests", "max_parallel_requests"),
    "litellm_settings": (
        "allowed_fails",
        "cooldown_time",
        "drop_params",
        "modify_params",
        "request_timeout",
    ),
}

NUMBERS_OF_DEPLOYMENT = (
    "cooldown_time",
    "max_parallel_requests",
    "order",
    "rpm",
    "tpm",
    "weight",
)
WORDS_OF_DEPLOYMENT = ("region_name", "tags")
WORDS_OF_MODEL = ("base_model", "tags", "team_id", "team_public_model_name")
"""The keys of a deployment's ``litellm_params``, and of its ``model_info``."""

_WORDS_IN = ("budget_duration", "time_period")
"""Keys, in a mapping, whose values may be words."""

_WORD = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_NAME = re.compile(r"[A-Za-z0-9_./ -]{1,120}")


def harmless(section: str, settings: Mapping[Any, Any]) -> dict[str, Any]:
    """What may be taken over of a section of a configuration."""
    return {name: settings[name] for name in SECTIONS[section] if _is_value(settings.get(name))}


def numbers_of(params: Mapping[str, Any]) -> dict[str, float]:
    """The numbers by which the router chooses, limits and cools a deployment."""
    return {name: params[name] for name in NUMBERS_OF_DEPLOYMENT if is_number(params.get(name))}


def words_of(settings: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The names, and lists of names, by which the router finds a deployment."""
    return {name: settings[name] for name in names if _is_name_or_names(settings.get(name))}


def is_number(value: object) -> bool:
    """Whether it is a finite number; a truth value is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _is_value(value: object) -> bool:
    if isinstance(value, Mapping):
        return bool(value) and all(_is_entry(str(key), each) for key, each in value.items())
    if isinstance(value, list):
        return all(_is_word(each) for each in value)
    return _is_scalar(value) or _is_word(value)


def _is_entry(key: str, value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_is_entry(str(inner), each) for inner, each in value.items())
    return _is_scalar(value) or (key in _WORDS_IN and _is_word(value))


def _is_scalar(value: object) -> bool:
    return isinstance(value, bool) or is_number(value)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def _is_name_or_names(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_name_or_names(each) and not isinstance(each, list) for each in value)
    return isinstance(value, str) and _NAME.fullmatch(value) is not None
