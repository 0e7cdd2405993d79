"""Gather the answer to "what would a proxy do that is started here?"."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..._version import __version__
from ...activation.messages import nothing_left
from ...activation.seam_state import APPLIED, NATIVE
from ...activation.status import SeamStatus
from ...bootstrap import FOLDER, with_patch
from ...switch import OFF, is_known, mode, said
from .interpreter import CannotAsk, Script, ask, console_script, own_flags

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
    """What a proxy would do that is started from here, with this environment.

    Attributes:
        version: of litellm_patch.
        python: the interpreter that would run the proxy.
        console_script: the ``litellm`` that a shell would run, None if there is none.
        litellm: what the proxy would import.
        other_copies: LiteLLMs that are visible as well, and that it would not import.
        wrapt: the version that it would import.
        mode: `on`, `off` or `strict`, as ``LITELLM_PATCH`` says.
        reached: whether the proxy would start with the patch on.
        why_not: why it would not, or "".
        seams: their states in a process that imported the proxy with the patch on.
        warnings: what an operator should look at.
    """

    version: str
    python: str
    console_script: str | None
    litellm: Copy | None
    other_copies: tuple[Copy, ...]
    wrapt: str | None
    mode: str
    reached: bool
    why_not: str
    seams: tuple[SeamStatus, ...]
    warnings: tuple[str, ...]

    @property
    def asked(self) -> bool:
        """Whether the interpreter that would run the proxy could be asked at all."""
        return self.litellm is not None or not self.why_not.startswith(CANNOT_ASK)

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
    interpreter, warnings = _interpreter_of(script)
    try:
        seen = ask(interpreter)
    except CannotAsk as error:
        return _unknown(interpreter, script, f"{CANNOT_ASK}: {error}")
    if not is_known():
        warnings.append(f"LITELLM_PATCH={said()[:40]!r} is not on, off or strict: it means on")
    copies = [copy_at(file) for file in seen["copies"]]
    litellm = copy_at(seen["litellm"]) if seen["litellm"] else None
    others = [copy for copy in copies if litellm is None or not _same(copy.file, litellm.file)]
    others += _copy_of_this_interpreter(interpreter, litellm, others)
    warnings += _about_copies(litellm, others, seen)
    seams, wrong = _seams(interpreter) if litellm else ((), [])
    warnings += wrong
    why_not = _why_not(seen, interpreter)
    return Survey(
        version=__version__,
        python=f"{seen['executable']} ({seen['python']})",
        console_script=script.path if script else None,
        litellm=litellm,
        other_copies=tuple(others),
        wrapt=_version_beside(seen["wrapt"], "wrapt") if seen["wrapt"] else None,
        mode=mode(),
        reached=not why_not,
        why_not=why_not,
        seams=seams,
        warnings=tuple(warnings),
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


def _interpreter_of(script: Script | None) -> tuple[list[str], list[str]]:
    """The command that runs the proxy, and what is odd about it."""
    if script is not None and script.interpreter:
        return [*script.interpreter, *own_flags()], []
    own = [sys.executable, *own_flags()]
    if script is None:
        return own, ["no litellm command on PATH; this is about this interpreter"]
    return own, [f"cannot tell which Python runs {script.path}; this is about this interpreter"]


def _copy_of_this_interpreter(
    interpreter: Sequence[str], litellm: Copy | None, others: Sequence[Copy]
) -> list[Copy]:
    if _same(interpreter[0], sys.executable):
        return []
    try:
        file = ask([sys.executable])["litellm"]
    except CannotAsk:
        return []
    known = [*others, *([litellm] if litellm else [])]
    return [copy_at(file)] if file and not any(_same(file, c.file) for c in known) else []


def _about_copies(
    litellm: Copy | None, others: Sequence[Copy], seen: Mapping[str, Any]
) -> list[str]:
    if litellm is None:
        return [f"{seen['executable']} has no litellm"]
    here = seen["litellm_in_folder"]
    warnings = []
    if here and not _same(here, litellm.file):
        warnings.append(f"python in this folder imports another litellm than the proxy: {here}")
    elif others:
        warnings.append(f"more than one litellm: the proxy imports {litellm.file}")
    return warnings


def _seams(interpreter: Sequence[str]) -> tuple[tuple[SeamStatus, ...], list[str]]:
    """The states of the seams with the patch on, whatever this environment says."""
    environment = {
        **with_patch(os.environ),
        "LITELLM_PATCH": "on",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    try:
        answer = ask([interpreter[0]], "seams", environment=environment)
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


def _unknown(interpreter: Sequence[str], script: Script | None, why: str) -> Survey:
    return Survey(
        version=__version__,
        python=interpreter[0],
        console_script=script.path if script else None,
        litellm=None,
        other_copies=(),
        wrapt=None,
        mode=mode(),
        reached=False,
        why_not=why,
        seams=(),
        warnings=(),
    )
