"""Which package the code on the stack belongs to."""

from __future__ import annotations

import sys
from types import FrameType

_OURS = __name__.partition(".")[0]


def caller() -> FrameType | None:
    """The frame that called into our wrappers, if it is LiteLLM's; else None."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and module_of(frame) in (_OURS, "wrapt"):
        frame = frame.f_back
    return frame if frame is not None and module_of(frame) == "litellm" else None


def module_of(frame: FrameType) -> str:
    """The package that the code of a frame belongs to."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
