"""``litellm-patch probe``: what a client of a live proxy gets for a model that is cooling."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from urllib.parse import urlsplit

from ..lab.client import Response, call
from ..lab.endpoints import ENDPOINTS
from ..wait.delay_seconds import parse_delay_seconds
from ..wait.exception_chain import NO_DEPLOYMENTS
from ..wait.headers import RETRY_AFTER, RETRY_AFTER_MS, SHOULD_RETRY
from ..wait.patience import first_step

GOOD, MISSING, NOT_COOLING = 0, 1, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="of the proxy, for example http://host:4000")
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
    """0 the refusal carries the header, 1 it does not or cannot be asked, 3 not cooling."""
    endpoint = next(each for each in ENDPOINTS if each.name == options.kind)
    path, body, headers = endpoint.request(options.model)
    key = os.environ.get(options.key_env, "")
    if key:
        headers["authorization"] = f"Bearer {key}"
    try:
        answer = call(_base(options.url), path, body, headers)
    except OSError as error:
        return _say(options, MISSING, f"cannot be reached: {type(error).__name__}", None)
    except Exception as error:  # its text may quote the key, or a password in the URL
        return _say(options, MISSING, f"cannot be asked: {type(error).__name__}", None)
    status, verdict = _judge(answer)
    return _say(options, status, verdict, answer)


def _base(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no http URL")
    return url


def _judge(answer: Response) -> tuple[int, str]:
    if answer.status == 429 and NO_DEPLOYMENTS.encode() in answer.body:
        values = answer.all("retry-after")
        if len(values) == 1 and parse_delay_seconds(values[0]) is not None:
            return GOOD, "the model is cooling, and the client is told when to come back"
        if values:
            return MISSING, "the model is cooling, but Retry-After is not one whole number"
        if "false" in answer.all(SHOULD_RETRY):
            return GOOD, "the model is cooling for so long that the client is told not to retry"
        if first_step(_configured(answer)) is None:
            return (
                NOT_COOLING,
                "the model is cooling for longer than clients wait: nothing is proven",
            )
        return MISSING, "the model is cooling, and the client is NOT told when to come back"
    if answer.status == 429:
        return NOT_COOLING, "this 429 is not a cooldown of the model: nothing is proven"
    if answer.status in (401, 403):
        return NOT_COOLING, "the proxy refused the key: nothing is proven"
    if answer.status < 400:
        return NOT_COOLING, "the model was not cooling: nothing is proven"
    return NOT_COOLING, "this error is no refusal of a cooling model: nothing is proven"


def _configured(answer: Response) -> float:
    """The seconds of the whole cooldown, which LiteLLM's message tells; 0 where it does not."""
    found = re.search(rb"Try again in (\d{1,9}(?:\.\d+)?) second", answer.body)
    return float(found[1]) if found else 0.0


def _say(options: argparse.Namespace, status: int, verdict: str, answer: Response | None) -> int:
    """Print the verdict. Never the body, the key or the URL: they may hold secrets."""
    shown = (RETRY_AFTER, RETRY_AFTER_MS, SHOULD_RETRY)
    told = {name: answer.all(name) for name in shown} if answer is not None else {}
    if options.json:
        code = answer.status if answer is not None else None
        print(json.dumps({"exit_status": status, "verdict": verdict, "status": code, **told}))
        return status
    if answer is not None:
        print(f"HTTP {answer.status} {answer.reason}")
        for name in shown:
            for value in told[name] or (["(none)"] if name == RETRY_AFTER else []):
                print(f"{name}: {value}")
    print(verdict, file=sys.stdout if answer is not None else sys.stderr)
    return status
