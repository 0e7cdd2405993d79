"""Choose the subcommand. Each one lives in its own module and is imported when it is used."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from .. import __version__

SUBCOMMANDS: dict[str, str] = {
    "apply": "patch LiteLLM's sources: litellm-patch apply --to DIR [--reverse]",
    "demo": "show a real proxy's 429 without and with the patch",
    "diff": "print the source patch for a release of LiteLLM",
    "probe": "ask a live proxy for a model that is cooling, and judge its answer",
    "run": "run a command with the patch on: litellm-patch run -- litellm --config …",
    "status": "which LiteLLM a proxy would import here, with the patch or not, and why",
    "verify": "prove it on this machine's LiteLLM: every kind of endpoint, without and with",
}


def main(arguments: list[str] | None = None) -> int:
    """Run ``litellm-patch`` and return its exit status (2 for a wrong call)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        return _run(arguments)
    except ModuleNotFoundError as error:
        if error.name != "wrapt":
            raise
        print("litellm-patch: wrapt is missing, so the patch is never on here", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader went away (`| head`). Nothing more can be said on stdout.
        sys.stderr.close()
        return 1


def _run(arguments: list[str]) -> int:
    chosen = next((word for word in arguments if not word.startswith("-")), "")
    parser = argparse.ArgumentParser(
        prog="litellm-patch",
        description="Retry-After for the 429 answers of a pinned LiteLLM proxy.",
    )
    parser.add_argument("--version", action="version", version=f"litellm_patch {__version__}")
    choices = parser.add_subparsers(dest="subcommand", metavar="COMMAND", required=True)
    for name, summary in SUBCOMMANDS.items():
        subparser = choices.add_parser(name, help=summary, description=summary)
        if name == chosen:  # `run` must start the command, whatever the others need
            import_module(f"{__package__}.{name}").add_arguments(subparser)
    options = parser.parse_args(arguments)
    return int(import_module(f"{__package__}.{options.subcommand}").run(options))
