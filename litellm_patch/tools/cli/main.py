"""Choose the subcommand. Each one lives in its own module and is imported when it is used."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from ..._version import __version__
from ...log import place_of
from .exit_status import BAD, INTERRUPTED, NOTHING_PROVEN, READER_GONE, NoAnswer

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
    """Run ``litellm-patch`` and return its exit status (see `exit_status`)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        return _run(arguments)
    except NoAnswer as error:
        status, text = error.status, str(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`). Nothing more can be said on stdout.
        sys.stderr.close()
        return READER_GONE
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "wrapt":
            status, text = BAD, "wrapt is missing, so the patch is never on here"
        else:  # a defect of ours, for which Python's status would be 1; its text may quote a key
            status, text = NOTHING_PROVEN, f"it failed, nothing is proven: {place_of(error)}"
    print(f"litellm-patch: {text}", file=sys.stderr)
    return status


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
