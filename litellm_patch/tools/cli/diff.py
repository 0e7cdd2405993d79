"""``litellm-patch diff [RELEASE]``: print the source patch for a release of LiteLLM."""

from __future__ import annotations

import argparse
import sys
from importlib import metadata

from ..source.patches import Refused, patch_for
from .exit_status import BAD, GOOD, WrongUsage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "release", nargs="?", metavar="RELEASE", help="of LiteLLM; the installed one if left out"
    )


def run(options: argparse.Namespace) -> int:
    """Print the patch on stdout. BAD if there is none for the release."""
    try:
        patch = patch_for(options.release or _installed()).content
    except Refused as error:
        print(f"litellm-patch diff: {error}", file=sys.stderr)
        return BAD
    sys.stdout.write(patch.decode())
    sys.stdout.flush()
    return GOOD


def _installed() -> str:
    try:
        return metadata.version("litellm")
    except metadata.PackageNotFoundError as error:
        raise WrongUsage("diff: LiteLLM is not installed here; name a release") from error
