"""``litellm-patch probe``: what a client of a live proxy gets for a model that is cooling."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from http.client import HTTPException, InvalidURL
from urllib.parse import urlsplit

from ...wait.delay_seconds import parse_delay_seconds
from ...wait.headers import RETRY_AFTER, SHOULD_RETRY, WAIT_HEADERS
from ...wait.patience import first_step
from ..lab.client import Response, call
from ..lab.endpoints import ENDPOINTS
from .exit_status import BAD, GOOD, NOTHING_PROVEN, NoAnswer, NothingProven, WrongUsage
from .refusal import why_not_its_own

_EXAMPLE = "http://host:4000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help=f"of the proxy, for example {_EXAMPLE}")
    parser.add_argument("--model", required=True, help="a model group that is cooling down now")
    parser.add_argument(
        "--key-env",
        default="LITELLM_API_KEY",
        metavar="NAME",
        help="environment variable that holds the proxy's key (default LITELLM_API_KEY)",
    )
    parser.add_argument(
        "--kind",
        default="chat",
        choices=[endpoint.name for endpoint in ENDPOINTS],
        metavar="KIND",
        help="kind of request (default chat); if the model is not cooling, it is a real one",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")


def run(options: argparse.Namespace) -> int:
    """GOOD if the refusal carries the header, BAD if it does not."""
    try:
        answer = _ask(options)
    except NoAnswer as error:
        return _say(options, error.status, str(error), None)
    return _say(options, *_judge(answer), answer)


def _ask(options: argparse.Namespace) -> Response:
    """The proxy's answer.

    Raises:
        NoAnswer: with no text of another error, which may quote the key or a password in the URL.
    """
    try:
        parts = urlsplit(options.url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is not a number, or too large
        usable = False
    if not usable:
        raise WrongUsage(f"that is no URL of a proxy: write {_EXAMPLE}")
    key = os.environ.get(options.key_env, "")
    if not (key.isascii() and key.isprintable()):
        raise WrongUsage(f"what {options.key_env} holds is no key: no header can be made of it")
    endpoint = next(each for each in ENDPOINTS if each.name == options.kind)
    path, body, headers = endpoint.request(options.model)
    if key:
        headers["authorization"] = f"Bearer {key}"
    try:
        return call(options.url, path, body, headers)
    except (InvalidURL, UnicodeError) as error:
        why = f"no request can be made of this URL and model: write {_EXAMPLE}"
        raise WrongUsage(why) from error
    except (OSError, HTTPException) as error:
        why = f"it cannot be reached ({type(error).__name__}): is the proxy running there?"
        raise NothingProven(f"{why} Nothing is proven") from error


def _judge(answer: Response) -> tuple[int, str]:
    why_not = why_not_its_own(answer)
    if why_not:
        return NOTHING_PROVEN, f"{why_not}: nothing is proven"
    values = answer.all("retry-after")
    if len(values) == 1 and parse_delay_seconds(values[0]) is not None:
        return GOOD, "the model is cooling, and the client is told when to come back"
    if values:
        return BAD, "the model is cooling, but Retry-After is not one whole number"
    if "false" in answer.all(SHOULD_RETRY):
        return GOOD, "the model is cooling for so long that the client is told not to retry"
    if first_step(_configured(answer)) is None:
        what = "the model is cooling for longer than clients wait"
        return NOTHING_PROVEN, f"{what}: nothing is proven"
    return BAD, "the model is cooling, and the client is NOT told when to come back"


def _configured(answer: Response) -> float:
    """The seconds of the whole cooldown, which LiteLLM's message tells; 0 where it does not."""
    found = re.search(rb"Try again in (\d{1,9}(?:\.\d+)?) second", answer.body)
    return float(found[1]) if found else 0.0


def _say(options: argparse.Namespace, status: int, verdict: str, answer: Response | None) -> int:
    """Print the verdict. Never the body, the key or the URL: they may hold secrets."""
    told = {name: answer.all(name) for name in WAIT_HEADERS} if answer else {}
    if options.json:
        code = answer.status if answer else None
        print(json.dumps({"exit_status": status, "verdict": verdict, "status": code, **told}))
        return status
    if answer:
        print(f"HTTP {answer.status} {answer.reason}")
    for name, values in told.items():
        for value in values or (["(none)"] if name == RETRY_AFTER else []):
            print(f"{name}: {value}")
    print(verdict, file=sys.stdout if answer else sys.stderr)
    return status
