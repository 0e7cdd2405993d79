"""``litellm-patch apply --to DIR [--reverse]``: patch the LiteLLM sources in DIR."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..source.apply import LeftInPart, apply
from ..source.patches import Refused
from .exit_status import BAD, GOOD, WrongUsage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to",
        required=True,
        type=Path,
        metavar="DIR",
        help="contains litellm/: a source tree, site-packages, or an unpacked wheel",
    )
    parser.add_argument("--reverse", action="store_true", help="take the patch back")


def run(options: argparse.Namespace) -> int:
    """Patch the tree and say what was done. BAD if that was refused, or done in part."""
    if not (options.to / "litellm" / "__init__.py").is_file():
        raise WrongUsage(f"{options.to} does not contain litellm/; name the directory that does")
    try:
        print(apply(options.to, options.reverse))
    except Refused as error:
        print(f"litellm-patch apply: refused, nothing was changed: {error}", file=sys.stderr)
        return BAD
    except LeftInPart as error:
        print(f"litellm-patch apply: failed, a part was changed: {error}", file=sys.stderr)
        return BAD
    return GOOD
