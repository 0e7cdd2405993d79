"""The routes of the installed proxy's app, flattened: print them as ``METHODS path`` lines.

Run as a program, since importing the proxy takes seconds and patches the process it is in.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from in_parallel import RUN_FOLDER
from starlette.routing import compile_path

WEBSOCKET = "WEBSOCKET"


def flatten(routes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Method and path of every route; an included router or a mount is entered.

    FastAPI up to 0.139 copies the routes of an included router into the app; later ones keep
    the router and compute its routes when they are asked for.
    """
    for route in routes:
        if hasattr(route, "effective_candidates"):
            yield from flatten(route.effective_candidates())
            continue
        route = getattr(route, "starlette_route", None) or route
        if type(route).__name__ == "Mount":
            yield "MOUNT", route.path
        elif "WebSocket" in type(route).__name__:
            yield WEBSOCKET, route.path
        else:
            for method in sorted(route.methods or ()):
                yield method, route.path


@cache
def routes_of_the_installed_release() -> list[tuple[str, str]]:
    """Methods and paths of the proxy that this interpreter would run. One worker asks for all."""
    with Path(os.environ[RUN_FOLDER], "routes.json").open("a+") as known:
        fcntl.flock(known, fcntl.LOCK_EX)  # the other workers wait for the first one's answer
        known.seek(0)
        text = known.read()
        if not text:
            text = _ask_the_app()
            known.write(text)
    return [(method, path) for method, path in json.loads(text)]


def _ask_the_app() -> str:
    done = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_PATCH": "off"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1]


def serves(path: str, method: str = "POST") -> bool:
    """Whether the installed proxy has a route for `path` of its own.

    A route that takes any path below a provider's name does not count: it passes requests
    through to the provider and asks no router.
    """
    return any(
        method == its_method
        and "{endpoint:path}" not in template
        and compile_path(template)[0].fullmatch(path)
        for its_method, template in routes_of_the_installed_release()
    )


def load_lazy_features(app: Any) -> None:
    """Let the app have the routes that it would load when it is first asked for them.

    Releases from 1.85 on do that; the newest have even Anthropic's messages among them.
    """
    if find_spec("litellm.proxy._lazy_features") is None:
        return
    from litellm.proxy._lazy_features import LAZY_FEATURES

    for feature in LAZY_FEATURES:
        try:
            feature.register_fn(app, import_module(feature.module_path))
        except ImportError as error:  # an optional package: the proxy answers 404 there, too
            print(f"{feature.name} cannot be loaded: {error}", file=sys.stderr)


if __name__ == "__main__":
    from litellm.proxy.proxy_server import app

    load_lazy_features(app)
    print(json.dumps(sorted(set(flatten(app.routes)))))
