"""The routes of the installed proxy's app, flattened: print them as ``METHODS path`` lines.

Run as a program, since importing the proxy takes seconds and patches the process it is in.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

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


def routes_of_the_installed_release() -> list[tuple[str, str]]:
    """Methods and paths of the proxy that this interpreter would run."""
    done = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_PATCH": "off"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [(method, path) for method, path in json.loads(done.stdout.splitlines()[-1])]


if __name__ == "__main__":
    from litellm.proxy.proxy_server import app

    print(json.dumps(sorted(set(flatten(app.routes)))))
