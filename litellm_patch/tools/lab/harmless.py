"""Which settings of LiteLLM decide routing, cooldowns and limits, and can do nothing else.

It lists what may be taken over, because nobody knows the names of everything that may not: a new
release, or an operator's own code, has settings that hold a secret or reach a machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

SECTIONS: Mapping[str, tuple[str, ...]] = {
    # Without the router's retries, which make it refuse later and change nothing else.
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

_NUMBERS = ("cooldown_time", "max_parallel_requests", "order", "rpm", "tpm", "weight")
_NAMES = ("region_name", "tags")
"""What may be taken of a deployment's ``litellm_params``. Nothing of its ``model_info`` is: a team
there would hide the deployment from all keys but the team's."""

_WORDS_IN = ("budget_duration", "time_period")
"""Keys, in a mapping, whose values may be words."""

_WORD = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_NAME = re.compile(r"[A-Za-z0-9_./ -]{1,120}")


def harmless(section: str, settings: Mapping[Any, Any]) -> dict[str, Any]:
    """What may be taken over of a section of a configuration."""
    taken = {name: settings[name] for name in SECTIONS[section] if name in settings}
    return {name: value for name, value in taken.items() if _is_harmless(value)}


def of_deployment(params: Mapping[str, Any]) -> dict[str, Any]:
    """What may be taken over of a deployment: the numbers by which the router chooses, limits and
    cools it, and the names, or lists of names, by which it is found."""
    numbers = {name: params[name] for name in _NUMBERS if _is_number(params.get(name))}
    names = {name: params[name] for name in _NAMES if _is_name_or_names(params.get(name))}
    return {**numbers, **names}


def _is_harmless(value: object, may_be_word: bool = True) -> bool:
    """Whether it is a number, a truth value, a word, a list of words, or a mapping of numbers."""
    if isinstance(value, Mapping):
        return bool(value) and all(
            _is_harmless(each, key in _WORDS_IN) for key, each in value.items()
        )
    if isinstance(value, list):
        return may_be_word and all(_is_word(each) for each in value)
    return isinstance(value, bool) or _is_number(value) or (may_be_word and _is_word(value))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def _is_name_or_names(value: object) -> bool:
    names = value if isinstance(value, list) else [value]
    return all(isinstance(name, str) and _NAME.fullmatch(name) for name in names)
