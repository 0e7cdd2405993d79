"""LiteLLM's last question to its cooldown cache, kept for the refusal that it makes of the answer.

LiteLLM calls `CooldownCache.get_min_cooldown` just before it builds its refusal, and passes on a
plain number. A context variable carries the cache to the refusal, since both happen in one task or
thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from ..frames import caller


@dataclass(frozen=True)
class Asked:
    """One question to the cooldown cache.

    Attributes:
        cooldowns: LiteLLM's cooldown cache.
        model_ids: ids of the deployments that LiteLLM asked about.
        answer: the configured seconds that LiteLLM got; None where it got records.
        frame: identity of the frame that asked.
    """

    cooldowns: Any
    model_ids: tuple[str, ...]
    answer: object
    frame: int


_asked: ContextVar[Asked | None] = ContextVar("litellm_patch_asked", default=None)


def note_question(cooldowns: Any, arguments: Mapping[str, Any], result: object) -> None:
    """Keep a question to the cooldown cache for the refusal that follows."""
    _asked.set(Asked(cooldowns, tuple(arguments["model_ids"]), result, id(caller())))


def note_records(cooldowns: Any) -> None:
    """The same for the router in Rust, which gets records and takes the time from them.

    It asks twice, for the group and for all deployments; the refusal has the ids of the group.
    """
    _asked.set(Asked(cooldowns, (), None, id(caller())))


def take_question(arguments: Mapping[str, Any], frame: object) -> Asked | None:
    """The question behind the refusal that is made with `arguments` in `frame`.

    A question from another function, or one with another answer, belongs to no refusal.
    """
    asked = _asked.get()
    _asked.set(None)
    if asked is None or asked.frame != id(frame):
        return None
    if asked.answer is None:
        return replace(asked, model_ids=tuple(arguments.get("model_ids", ())))
    return asked if asked.answer == arguments["cooldown_time"] else None
