"""``litellm-patch status``: whether a proxy that is started here would have the patch on."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator

from ...activation.messages import verdict
from ..survey.survey import Copy, Survey, survey
from .exit_status import BAD, GOOD, NOTHING_PROVEN


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")


def run(options: argparse.Namespace) -> int:
    """GOOD if such a proxy has the patch on in every place that needs it."""
    found = survey()
    if options.json:
        print(json.dumps(_as_json(found), indent=2))
    else:
        print("\n".join(_lines(found)))
    if not found.asked:
        return NOTHING_PROVEN
    return GOOD if found.good else BAD


def _as_json(found: Survey) -> dict[str, object]:
    judged = {name: getattr(found, name) for name in ("reached", "good", "nothing_left")}
    return {**dataclasses.asdict(found), **judged}


def _lines(found: Survey) -> Iterator[str]:
    active = "yes" if found.reached else f"NO: {found.why_not}"
    yield f"litellm_patch  {found.version} (LITELLM_PATCH: {found.mode})"
    yield f"litellm        {found.console_script or 'no such command'}"
    yield f"  python       {found.python}"
    yield f"  imports      {_copy(found.litellm) if found.litellm else 'no litellm'}"
    yield f"  wrapt        {found.wrapt or 'missing'}"
    yield f"  patch on     {active}"
    for copy in found.other_copies:
        yield f"other copy     {_copy(copy)}"
    for seam in found.seams:
        why = f": {seam.reason}" if seam.reason else ""
        yield f"seam           {seam.name} ({seam.place}) {seam.state}{why}"
    if found.nothing_left:
        release = found.litellm.release if found.litellm else None
        yield f"left to do     {verdict(release, found.seams)}"
    for warning in found.warnings:
        yield f"warning        {warning}"


def _copy(copy: Copy) -> str:
    own = "a header of its own" if copy.native else "no header of its own"
    return f"{copy.release or 'unknown release'}, {own}, {copy.file}"
