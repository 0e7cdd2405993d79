"""Every route of the installed release has been thought about."""

from __future__ import annotations

import re

import pytest
from app_routes import WEBSOCKET, routes_of_the_installed_release
from routes import MANAGEMENT, NO_GROUP, NOT_TESTED, TESTED

from litellm_patch.tools.lab.endpoints import ENDPOINTS

ASKS_FOR_NO_MODEL = ("DELETE", "GET", "HEAD", "MOUNT", "OPTIONS", "PATCH", "PUT")
"""Methods by which a client reads or changes what exists; no deployment is chosen for them."""


def fits(pattern: str, path: str) -> bool:
    parts = re.split(r"(\*\*|\*)", pattern)
    kinds = {"**": ".*", "*": r"(?:[^/{}:]|\{[^}]*\})+"}
    return (
        re.fullmatch("".join(kinds.get(part, re.escape(part)) for part in parts), path) is not None
    )


def class_of(method: str, path: str) -> str | None:
    """How a route is classified, or None."""
    path = path.rstrip("/") or "/"
    if method == WEBSOCKET:
        return "websocket"  # after the upgrade there is no response that could carry a header
    if method in ASKS_FOR_NO_MODEL:
        return "asks for no model"
    for name, patterns in TESTED.items():
        if any(fits(pattern, path) for pattern in patterns.split()):
            return f"tested as {name}"
    for name, lines in {
        "no group": NO_GROUP,
        "not tested": NOT_TESTED,
        "management": MANAGEMENT,
    }.items():
        if any(fits(pattern, path) for line in lines for pattern in line.split()):
            return name
    return None


def test_every_route_is_classified():
    routes = routes_of_the_installed_release()
    assert len(routes) > 200, "the routes of the app were not all found"
    assert [route for route in routes if class_of(*route) is None] == []


def test_what_is_called_tested_is_tested():
    assert set(TESTED) <= {endpoint.name for endpoint in ENDPOINTS}


def test_every_kind_has_its_route_in_the_table():
    for endpoint in ENDPOINTS:
        path = endpoint.request("{model}")[0]
        assert (class_of("POST", path) or "").startswith("tested as "), endpoint


@pytest.mark.parametrize(
    "path", ["/v1/new", "/v1/chat/completions/new", "/new", "/openai/deployments/{model}/new"]
)
def test_a_new_route_is_not_classified_by_accident(path):
    assert class_of("POST", path) is None
