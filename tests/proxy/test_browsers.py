"""A page of another origin can read how long it must wait, where the proxy lets it read at all."""

from __future__ import annotations

import pytest
from app_routes import serves

from litellm_patch.tools.lab.client import Response, call
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.endpoints import ENDPOINTS
from litellm_patch.wait.delay_seconds import parse_delay_seconds

ORIGIN = {"origin": "http://page.example"}
KINDS = {endpoint.name: endpoint for endpoint in ENDPOINTS}


def ask_from_a_page(proxy, kind: str, model: str, headers=ORIGIN) -> Response:
    path, body, more = KINDS[kind].request(model)
    return call(proxy.url, path, body, {**proxy.headers, **more, **headers})


def exposed(answer: Response) -> set[str]:
    lines = answer.all("access-control-expose-headers")
    return {name.strip().lower() for line in lines for name in line.split(",") if name.strip()}


@pytest.mark.needs_patch(native=True)
# The last one leaves its endpoint as a bare exception in old releases.
@pytest.mark.parametrize("kind", ["chat", "embeddings", "responses", "speech"])
def test_a_page_may_read_both_headers_and_what_it_could_read_before(proxy, refusing, kind):
    if not serves(KINDS[kind].path):
        pytest.skip(f"this release has no {kind}")
    before = exposed(ask_from_a_page(proxy, "chat", "healthy"))
    refusing("browser")
    cool_down(proxy, "browser")
    answer = ask_from_a_page(proxy, kind, "browser")
    assert answer.status == 429
    assert answer.all("access-control-allow-origin")
    assert parse_delay_seconds(answer.retry_after) is not None
    assert exposed(answer) == before | {"retry-after", "retry-after-ms"}


def test_what_is_served_exposes_what_it_did_before(proxy_on):
    sides = [
        ask_from_a_page(proxy_on(side), "chat", "healthy")
        for side in ("without-patch", "with-patch")
    ]
    assert [answer.status for answer in sides] == [200, 200]
    assert exposed(sides[0]) == exposed(sides[1])


def test_an_answer_to_no_page_exposes_nothing(proxy, refusing):
    refusing("browser")
    cool_down(proxy, "browser")
    answer = ask_from_a_page(proxy, "chat", "browser", headers={})
    assert answer.status == 429
    assert exposed(answer) == set()
