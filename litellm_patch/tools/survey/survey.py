"""Survey how a proxy would run if it were started here."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..._version import __version__
from ...activation.messages import nothing_left
from ...activation.seam_state import APPLIED, NATIVE
from ...activation.status import SeamStatus
from ...bootstrap import FOLDER, with_patch
from ...switch import OFF, is_known, mode, said
from .command import shebang
from .interpreter import CannotAsk, ask, console_script

CANNOT_ASK = "cannot ask the proxy's interpreter"


@dataclass(frozen=True)
class Copy:
    """A LiteLLM that was found: its file, its release by its metadata, and whether it has
    `Retry-After` code of its own (1.90.0 and later)."""

    file: str
    release: str | None
    native: bool


@dataclass(frozen=True)
class Survey:
    """How a proxy would run if it were started from here, with this environment.

    Attributes:
        python: the interpreter that would run the proxy.
        console_script: the ``litellm`` that a shell would run, None if there is none.
        why_not: why the proxy would start without the patch, or "".
        litellm: the LiteLLM that the proxy would import.
        other_copies: LiteLLMs that are visible as well, and that it would not import.
        wrapt: the version that it would import.
        seams: their states in a process that imported the proxy with the patch on.
        warnings: anything that an operator should look at.
        mode: `on`, `off` or `strict`, as ``LITELLM_PATCH`` says.
        version: of litellm_patch.
    """

    python: str
    console_script: str | None
    why_not: str
    litellm: Copy | None = None
    other_copies: tuple[Copy, ...] = ()
    wrapt: str | None = None
    seams: tuple[SeamStatus, ...] = ()
    warnings: tuple[str, ...] = ()
    mode: str = field(default_factory=mode)
    version: str = __version__

    @property
    def asked(self) -> bool:
        """Whether the interpreter that would run the proxy could be asked at all."""
        return not self.why_not.startswith(CANNOT_ASK)

    @property
    def reached(self) -> bool:
        """Whether the proxy would start with the patch on."""
        return not self.why_not

    @property
    def nothing_left(self) -> bool:
        """Whether this LiteLLM does all of it by itself, so that litellm_patch can be removed."""
        return nothing_left(self.seams)

    @property
    def good(self) -> bool:
        """Whether a proxy started here has the patch on, in every place that needs it."""
        in_place = all(seam.state in (APPLIED, NATIVE) for seam in self.seams)
        return self.reached and bool(self.seams) and in_place


def survey() -> Survey:
    """Look at this environment, by a few child processes. Takes some seconds."""
    script = console_script()
    interpreter = shebang(Path(script)) if script else []
    warnings = []
    if not interpreter:
        interpreter = [sys.executable]
        odd = f"cannot tell which Python runs {script}" if script else "no litellm command on PATH"
        warnings.append(f"{odd}; this is about this interpreter")
    if not is_known():
        warnings.append(f"LITELLM_PATCH={said()[:40]!r} is not on, off or strict: it means on")
    try:
        seen = ask(interpreter)
    except CannotAsk as error:
        return Survey(interpreter[0], script, f"{CANNOT_ASK}: {error}", warnings=tuple(warnings))
    litellm = copy_at(seen["litellm"]) if seen["litellm"] else None
    others = [copy_at(file) for file in seen["copies"] if not _same(file, seen["litellm"] or "")]
    warnings += _about_copies(litellm, others, seen)
    seams, wrong = _seams(interpreter[0]) if litellm else ((), [])
    return Survey(
        python=f"{seen['executable']} ({'.'.join(map(str, seen['python']))})",
        console_script=script,
        why_not=_why_not(seen, interpreter),
        litellm=litellm,
        other_copies=tuple(others),
        wrapt=_version_beside(seen["wrapt"], "wrapt") if seen["wrapt"] else None,
        seams=seams,
        warnings=(*warnings, *wrong),
    )


def copy_at(file: str) -> Copy:
    """Describe a LiteLLM by the files beside it, without importing it."""
    source = Path(file).parent / "proxy" / "common_request_processing.py"
    native = source.exists() and "_apply_router_cooldown_retry_after" in source.read_text(
        encoding="utf-8", errors="replace"
    )
    return Copy(file, _version_beside(file, "litellm"), native)


def _version_beside(file: str, name: str) -> str | None:
    """The version that the metadata beside a package's folder says."""
    named = sorted(Path(file).parent.parent.glob(f"{name}-*.dist-info"))
    return named[-1].name[len(name) + 1 : -len(".dist-info")] if named else None


def _about_copies(
    litellm: Copy | None, others: Sequence[Copy], seen: Mapping[str, Any]
) -> list[str]:
    here = seen["litellm_in_folder"]
    if litellm is None:
        return [f"{seen['executable']} has no litellm"]
    if here and not _same(here, litellm.file):
        return [f"python in this folder imports another litellm than the proxy: {here}"]
    return [f"more than one litellm: the proxy imports {litellm.file}"] if others else []


def _seams(interpreter: str) -> tuple[tuple[SeamStatus, ...], list[str]]:
    """The states of the seams with the patch on, whatever this environment says."""
    environment = {
        **with_patch(os.environ),
        "LITELLM_PATCH": "on",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    try:
        answer = ask([interpreter], "seams", environment=environment)
    except CannotAsk as error:
        return (), [f"cannot import LiteLLM's proxy to look at the seams: {error}"]
    seams = tuple(SeamStatus(**seam) for seam in answer["seams"])
    not_on = [f"the proxy was imported, and the patch is not on: {answer['why_not']}"]
    return tuple(replace(seam, reached=0) for seam in seams), not_on if answer["why_not"] else []


def _why_not(seen: Mapping[str, Any], interpreter: Sequence[str]) -> str:
    flags = [flag for flag in interpreter[1:] if flag in ("-I", "-S", "-E")]
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if mode() == OFF:
        return f"LITELLM_PATCH={said()}"
    if seen["active"]:
        return ""
    if flags:  # with -S there are no site-packages either, so this comes first
        return f"{' '.join(flags)}: Python runs no sitecustomize from PYTHONPATH"
    if not seen["litellm_patch"]:
        return f"litellm_patch is not installed for {seen['executable']}"
    if not any(_same(entry, FOLDER) for entry in entries if entry):
        return f"PYTHONPATH has no {FOLDER}: use litellm-patch run -- litellm …"
    return f"another sitecustomize came first: {seen['sitecustomize']}"


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
