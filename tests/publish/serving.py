"""A proxy, or an app, that is started by a command that was read from a text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from sandbox import outside

from litellm_patch.tools.lab import proxy as lab
from litellm_patch.tools.lab.client import Response
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import Proxy, config, group

MODEL = "M"  # what the README calls a model


def write_config(path: Path, provider_url: str) -> None:
    """A proxy's configuration in the form that its operator has."""
    entries = group(MODEL, provider_url, ["a", "b"])
    settings = config(entries, router_settings={"cooldown_time": 60})
    path.write_text(json.dumps(settings))


def serving(
    command: Sequence[str] | str, port: int, *, cwd: Path, environment: Mapping[str, str]
) -> AbstractContextManager[Proxy]:
    """Run a command (a string is for the shell) until it answers on `port`, and to the end."""
    log = cwd / f"served-{port}.log"
    return lab.serving(command, port, environment={**outside(), **environment}, log=log, cwd=cwd)


def refusal(proxy: Proxy) -> Response:
    """The answer to a client while the model is cooling."""
    return cool_down(proxy, MODEL)


def assert_protected(proxy: Proxy) -> None:
    answer = refusal(proxy)
    assert answer.status == 429
    assert answer.retry_after is not None, proxy.log.read_text()[-2000:]
    assert 30 <= int(answer.retry_after) <= 63
    assert "Retry-After active on litellm" in proxy.log.read_text()
