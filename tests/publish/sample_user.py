"""A program of a user's that touches every public name; type checkers read it."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.applications import Starlette

import litellm_patch
from litellm_patch.activation.status import SeamStatus, Status
from litellm_patch.fastapi import Body, install, openai_body

version: str = litellm_patch.__version__
litellm_patch.activate()
litellm_patch.deactivate()

found: Status = litellm_patch.status()
release: str | None = found.litellm
place: str | None = found.litellm_file
applied: int = found.applied
mode: str = found.mode
seams: tuple[SeamStatus, ...] = found.seams
reached: int = sum(seam.reached for seam in seams)
lines: list[str] = [f"{seam.name} {seam.place} {seam.state} {seam.reason}" for seam in seams]

seconds: float | None = litellm_patch.retry_after(ValueError("x"))
nothing: float | None = litellm_patch.retry_after(None)


def own_body(refusal: Exception, seconds: float | None) -> dict[str, object]:
    return {"wait": seconds, "error": openai_body(refusal, seconds)}


body: Body = own_body
install(FastAPI())
install(Starlette(), body=own_body)
