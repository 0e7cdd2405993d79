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
from ...wait.litellm_errors import NO_DEPLOYMENTS
from ...wait.patience import first_step
from ..lab.client import Response, call
from ..lab.endpoints import ENDPOINTS
from .exit_status import BAD, GOOD, NOTHING_PROVEN, NoAnswer, NothingProven, WrongUsage

_EXAMPLE = "http://host:4000"

_FORWARDED = "a provider, itself a LiteLLM, refused; this proxy did not: ask that one"
_UNCLEAR = "cannot tell whether this proxy refused or a provider of it"

_OF_A_FALLBACK = re.compile(rf"(?:Error doing the fallback|also failed): {NO_DEPLOYMENTS}")
"""A group's refusal begins LiteLLM's message; that of a fallback is appended to the group's own
error, in other words since 1.109."""

_PROVIDER_IS_LITELLM = re.compile(r"Exception\b[^\n]*\blitellm\.\w+(?:Error|Exception)")

_OF_A_PROVIDER = re.compile(rf"(?:Exception|Error)\b[^\n]*{NO_DEPLOYMENTS}")
"""A provider's message, here that of another LiteLLM, stands behind the class of its error."""


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
    why_not = _why_not_its_own(answer)
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


def _why_not_its_own(answer: Response) -> str:
    """Why an answer is not, or may not be, a refusal by the proxy's own router; "" if it is one.

    A provider that is a LiteLLM itself may answer that it has no deployments, and the proxy
    forwards its words. Its router did not refuse then, and it knows no time.
    """
    if answer.status == 429 and NO_DEPLOYMENTS.encode() in answer.body:
        message = _message(answer.body)
        if message.startswith(NO_DEPLOYMENTS):
            return _UNCLEAR if _has_provider_headers(answer) else ""
        if _OF_A_FALLBACK.search(message):
            return _UNCLEAR if _PROVIDER_IS_LITELLM.search(message) else ""
        return _FORWARDED if _OF_A_PROVIDER.search(message) else _UNCLEAR
    if answer.status == 429:
        return "this 429 is not a cooldown of the model"
    if answer.status in (401, 403):
        return "the proxy refused the key"
    if answer.status < 400:
        return "the model was not cooling"
    return "this error is no refusal of a cooling model"


def _message(body: bytes) -> str:
    """The text in an error body of OpenAI's, Anthropic's or FastAPI's shape; "" in any other."""
    try:
        content = json.loads(body)
        error = content.get("error", content.get("detail"))
        message = error.get("message") if isinstance(error, dict) else error
    except (ValueError, AttributeError):
        return ""
    return message.strip() if isinstance(message, str) else ""


def _has_provider_headers(answer: Response) -> bool:
    """Whether LiteLLM sends headers of a provider's answer along, so that a provider was asked."""
    told_by_litellm = "llm_provider-retry-after"  # also where it refuses by itself
    return any(
        name.startswith("llm_provider-") and name != told_by_litellm for name, _ in answer.headers
    )


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
