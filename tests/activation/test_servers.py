"""Every way in which a proxy runs its workers: each worker has the patch on."""

from __future__ import annotations

import os

import pytest
from conftest import EXACT, PATIENT_UVICORN
from polling import until

from litellm_patch.bootstrap import FOLDER
from litellm_patch.tools.lab.client import chat
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import ProxyDidNotStart, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

SERVERS = {
    # The arguments, and how many processes say that the patch is on. Gunicorn loads the app once
    # and forks it; its workers have what the master has.
    "uvicorn, two workers": (["--num_workers", "2"], 2),
    "gunicorn, two workers": (["--run_gunicorn", "--num_workers", "2"], 1),
    "hypercorn": (["--run_hypercorn"], 1),
}


@pytest.mark.parametrize("server", SERVERS)
def test_each_worker_tells_the_cooldown(server, tmp_path):
    arguments, saying = SERVERS[server]
    (tmp_path / "sitecustomize.py").write_text(PATIENT_UVICORN)
    path = os.pathsep.join([FOLDER, str(tmp_path)])
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        configuration = config(group("m", stand_in.url, ["m-a", "m-b"], cooldown_time=120))
        start = running_proxy(
            configuration, environment={"PYTHONPATH": path, **EXACT}, arguments=arguments
        )
        try:
            with start as proxy:
                # Each worker cools on its own, and connections are shared out by chance.
                cool_down(proxy, "m")
                answers = [chat(proxy, "m") for _ in range(20)]
                # One worker may still be starting.
                active = "Retry-After active on litellm"
                until(lambda: proxy.log.read_text().count(active) >= saying, within=120)
        except ProxyDidNotStart as error:
            if "No module named" in str(error) or "not installed" in str(error):
                pytest.skip(f"this LiteLLM does not bring {server.split(',')[0]}")
            if "No such option" in str(error):
                pytest.skip(f"this LiteLLM has no {server}")
            raise
    refused = [answer for answer in answers if b"No deployments available" in answer.body]
    assert len(refused) >= 10
    assert {answer.status for answer in answers} == {429}
    assert all(int(answer.retry_after) <= 120 for answer in refused)
