"""``litellm-patch verify``: prove it on this machine's own LiteLLM."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from ..lab.cooling import DidNotCool
from ..lab.own_settings import CannotRead, OwnSettings, read_settings
from ..lab.proof import GROUPS_AT_MOST, Comparison, Told, compare
from ..lab.proxy import ProxyDidNotStart
from ..survey.interpreter import console_script
from .exit_status import BAD, GOOD, NOTHING_PROVEN, NoAnswer, NothingProven, WrongUsage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="take the model groups, router_settings and general_settings of this LiteLLM "
        "configuration; providers are replaced by the stand-in, and keys, addresses, callbacks "
        "and databases are left out",
    )


def run(options: argparse.Namespace) -> int:
    """GOOD if every refusal of the router carries the header."""
    started = time.monotonic()
    try:
        own = OwnSettings({}) if options.config is None else _read(options.config)
        found = _compare(own)
    except NoAnswer as error:
        if options.json:
            print(json.dumps({"good": False, "error": str(error).splitlines()[0]}, indent=2))
        print(f"verify: {error}", file=sys.stderr)
        return error.status
    proven = any(each.judged for each in found)
    good = all(each.good for each in found) and proven
    if options.json:
        print(json.dumps(_as_json(found, own, good), indent=2))
    else:
        print("\n".join(_lines(found, own, good)))
        print(f"\n{time.monotonic() - started:.0f} s", file=sys.stderr)
    if not proven:
        return NOTHING_PROVEN
    return GOOD if good else BAD


def _read(file: Path) -> OwnSettings:
    if find_spec("yaml") is None:
        raise NothingProven("--config needs PyYAML: pip install litellm[proxy]")
    try:
        return read_settings(file)
    except CannotRead as error:
        raise WrongUsage(f"--config: {error}") from error


def _compare(own: OwnSettings) -> tuple[Comparison, ...]:
    script = console_script()
    if script is None:
        raise NothingProven("there is no litellm command on PATH: pip install litellm[proxy]")
    if own.cools_nothing:
        raise NothingProven("router_settings.disable_cooldowns: no group is ever refused")
    print(f"two proxies of {script}, without and with ...", file=sys.stderr, flush=True)
    try:
        return compare(own, script)
    except (ProxyDidNotStart, DidNotCool) as error:
        raise NothingProven(f"the proxy did not do its part: {error}") from error


def _lines(found: Sequence[Comparison], own: OwnSettings, good: bool) -> Iterator[str]:
    if own.left_out:
        yield f"left out of the configuration: {', '.join(own.left_out)}\n"
    if own.never_cooling:
        yield f"never cooling, since of one deployment: {', '.join(own.never_cooling)}\n"
    if own.cooling[GROUPS_AT_MOST:]:
        yield f"not asked, as so many others are: {', '.join(own.cooling[GROUPS_AT_MOST:])}\n"
    yield f"{'kind':30}{'without':24}{'with litellm_patch':24}"
    yield f"{'-' * 28:30}{'-' * 22:24}{'-' * 22:24}"
    for each in found:
        verdict = each.why_not_judged or ("ok" if each.good else "MISSING")
        yield f"{each.kind:30}{_cell(each.without):24}{_cell(each.with_patch):24}{verdict}"
    judged = [each for each in found if each.judged]
    carrying = sum(each.good for each in judged)
    before = sum(each.without.carries for each in judged)
    yield ""
    yield f"of {len(judged)} kinds that are refused, {before} carry it without, {carrying} with"
    if not judged:
        yield "verdict: nothing proven, since nothing was refused"
    else:
        yield "verdict: good" if good else "verdict: NOT good"


def _cell(told: Told) -> str:
    if told.absent:
        return "no such route"
    if not told.status:
        return "could not be asked"
    return f"{told.status} retry-after: {', '.join(told.retry_after) or '-'}"


def _as_json(found: Sequence[Comparison], own: OwnSettings, good: bool) -> dict[str, object]:
    return {
        "good": good,
        "left_out": list(own.left_out),
        "never_cooling": list(own.never_cooling),
        "kinds": [
            {
                "kind": each.kind,
                "without": asdict(each.without),
                "with": asdict(each.with_patch),
                "judged": each.judged,
                "good": each.good,
                "why_not_judged": each.why_not_judged,
            }
            for each in found
        ],
    }
