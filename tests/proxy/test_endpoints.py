"""Every kind of request to a group whose deployments are all cooling is told the wait."""

from __future__ import annotations

import json
import re
from importlib.metadata import version

import pytest
from app_routes import serves
from conftest import LONG_COOLDOWN, WITH, WITHOUT, has_native_header, sides

from litellm_patch.tools.lab.cooling import ask, cool_down, cooled_by, group_of
from litellm_patch.tools.lab.endpoints import ENDPOINTS
from litellm_patch.tools.lab.stand_in import Refuse
from litellm_patch.wait.litellm_errors import NO_DEPLOYMENTS

NATIVE = ("chat", "embeddings", "image-edits", "responses", "gemini", "interactions")
NATIVE += ("ocr", "videos", "vector-stores")
"""How the names of those kinds begin that LiteLLM's own header (1.90.0 and later) reaches."""

ROUTED_SINCE = {
    "vector-stores": "1.83.0",
    "realtime-secrets": "1.92.0",
    "realtime-transcription": "1.92.0",
}
"""How the names of those kinds begin whose routes are older than their way to a model group."""


def why_not_here(endpoint) -> str | None:
    """Why the installed release cannot refuse this kind of request, or None where it can."""
    path = endpoint.request("m")[0]
    release = version("litellm")
    if not serves(path):
        return f"LiteLLM {release} has no POST {endpoint.path}"
    since = [ROUTED_SINCE[name] for name in ROUTED_SINCE if endpoint.name.startswith(name)]
    if any(number(release) < number(each) for each in since):
        return f"LiteLLM {release} asks no router for POST {endpoint.path}"
    return None


def number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release))


def pytest_generate_tests(metafunc) -> None:
    if "endpoint" not in metafunc.fixturenames:
        return
    by_side = "side" in metafunc.fixturenames
    params = []
    for endpoint in ENDPOINTS:
        reason = why_not_here(endpoint)
        if reason is not None:
            values = (endpoint, WITH) if by_side else (endpoint,)
            params.append(pytest.param(*values, marks=pytest.mark.skip(reason), id=endpoint.name))
        elif by_side:
            native = has_native_header() and endpoint.name.startswith(NATIVE)
            # What LiteLLM does by itself must be there on both sides.
            for side, marks in sides(on_native=True, must_fail=not native):
                params.append(
                    pytest.param(endpoint, side, marks=marks, id=f"{endpoint.name}-{side}")
                )
        else:
            params.append(pytest.param(endpoint, id=endpoint.name))
    metafunc.parametrize(["endpoint", "side"] if by_side else ["endpoint"], params)


@pytest.fixture(scope="module")
def refused(proxy_on, stand_in):
    """Ask a kind of request of a side's proxy while the group that it asks for is cooling."""
    cooled = set()

    def get(side, endpoint):
        proxy, name = proxy_on(side), group_of(endpoint.provider)
        if (side, name) not in cooled:
            stand_in.refusals["*"] = Refuse()
            cool_down(proxy, name, cooled_by(endpoint.provider))
            del stand_in.refusals["*"]
            cooled.add((side, name))
        calls = len(stand_in.seen)
        answer = ask(proxy, endpoint, name)
        assert len(stand_in.seen) == calls, "the provider was asked: nothing was refused"
        return answer

    return get


def test_a_refusal_tells_the_cooldown(endpoint, side, refused):
    answer = refused(side, endpoint)
    assert NO_DEPLOYMENTS.encode() in answer.body or answer.status == 500
    assert answer.status == 429
    assert len(answer.all("retry-after")) == 1
    assert LONG_COOLDOWN - 100 < int(answer.retry_after) <= LONG_COOLDOWN
    assert answer.retry_after.isdigit()


def test_the_body_is_litellms_own(endpoint, refused):
    stock, patched = refused(WITHOUT, endpoint), refused(WITH, endpoint)
    if stock.status == 500:  # a refusal that escaped: there is no body of an API to keep
        assert set(json.loads(patched.body)["error"]) >= {"message", "type", "param", "code"}
    else:
        assert stock.status == patched.status == 429
        assert comparable(stock.body) == comparable(patched.body)


def comparable(body: bytes) -> bytes:
    """Without the list of deployments, whose order is random, and what is made up anew."""
    body = re.sub(rb"cooldown_list=\[[^]]*\]", b"cooldown_list=[]", body)
    body = re.sub(rb"Try again in [0-9.]+ seconds", b"Try again in N seconds", body)
    return re.sub(rb'"request_id": ?"[^"]*"', b'"request_id":""', body)
