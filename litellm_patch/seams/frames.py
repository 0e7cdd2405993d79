"""Which code is asking: the frames of the stack, by the package that they belong to."""

from __future__ import annotations

import sys
from types import FrameType

_OURS = __name__.partition(".")[0]


def caller() -> FrameType | None:
    """The frame of LiteLLM that made what is being made now; None if somebody else did."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and module_of(frame) in (_OURS, "wrapt"):
        frame = frame.f_back
    return frame if frame is not None and module_of(frame) == "litellm" else None


def module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
