"""What a follow-up request is told when its only deployment is cooling and others are healthy."""

from __future__ import annotations

import base64
import json
import time

import pytest
from conftest import LAUNCH, litellm_has

from litellm_patch.tools.lab.client import Response, call
from litellm_patch.tools.lab.proxy import Proxy, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

CHECK = "router_utils/pre_call_checks/encrypted_content_affinity_check.py"
pytestmark = pytest.mark.skipif(
    not litellm_has("_unavailable_origin_error", CHECK),
    reason="this release sends such a request to another deployment",
)
COOLDOWN = 40


@pytest.fixture(scope="module")
def pinned(side):
    """A proxy, and its stand-in, whose deployment `a` refuses."""
    with running_stand_in() as stand_in:
        models = []
        for name in "ab":
            (entry,) = group("m", stand_in.url, [name])
            # Of another organisation, or it could decrypt what `a` has encrypted.
            entry["litellm_params"]["api_key"] = f"key-of-{name}"
            models.append({**entry, "model_info": {"id": f"id-{name}"}})
        router = {"optional_pre_call_checks": ["encrypted_content_affinity"]}
        settings = config(models, router_settings={**router, "cooldown_time": COOLDOWN})
        with running_proxy(settings, launch=LAUNCH[side]) as proxy:
            yield proxy, stand_in


def follow_up(proxy: Proxy, model_id: str) -> Response:
    text = f"litellm:model_id:{model_id};item_id:rs_1".encode()
    item = {"type": "reasoning", "id": "encitem_" + base64.b64encode(text).decode(), "summary": []}
    body = {"model": "m", "input": [item, {"role": "user", "content": "and then?"}]}
    return call(proxy.url, "/v1/responses", json.dumps(body).encode(), proxy.headers)


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("provider, status", [(429, 429), (401, 503)])
def test_a_follow_up_is_told_when_its_own_deployment_returns(pinned, provider, status):
    proxy, stand_in = pinned
    name = "a" if provider == 429 else "b"
    stand_in.refusals[name] = Refuse(status=provider)
    began = time.monotonic()
    assert follow_up(proxy, f"id-{name}").status == provider  # the provider's own
    answer = follow_up(proxy, f"id-{name}")
    left = COOLDOWN - (time.monotonic() - began)
    assert answer.status == status
    assert b"encrypted_content" in answer.body
    assert answer.retry_after is not None
    assert left - 1 < int(answer.retry_after) <= COOLDOWN + 1
