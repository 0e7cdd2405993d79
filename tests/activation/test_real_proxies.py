"""Every way to turn the patch on, each with a real proxy process.

But for those by which proxies of other tests are started: ``python -m litellm_patch run``
(conftest), the shipped `sitecustomize` (test_servers), a program's own import before LiteLLM's
(tests/agents).
"""

from __future__ import annotations

import sys
import time

import pytest

from litellm_patch.tools.lab.client import call, chat
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import config, console_script, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

COOLDOWN = 50  # seconds; on a busy machine some have passed when a client asks
RUN_SERVER = "from litellm.proxy.proxy_cli import run_server\nrun_server()\n"

# A program that takes the console script's place; it is given that script's arguments.
PROGRAMS = {
    "import after litellm": "import litellm, litellm_patch\n" + RUN_SERVER,
    "import after the app was built": """
import os, sys, threading, time, urllib.request

def activate_late():
    url = "http://127.0.0.1:" + sys.argv[sys.argv.index("--port") + 1] + "/health/liveliness"
    while True:
        try:
            urllib.request.urlopen(url).close()
            break
        except OSError:
            time.sleep(0.1)
    assert "litellm.proxy.proxy_server" in sys.modules
    import litellm_patch
    open(os.environ["MARK"], "w").close()

threading.Thread(target=activate_late, daemon=True).start()
"""
    + RUN_SERVER,
    "wrapt entry points": "import wrapt\nwrapt.discover_post_import_hooks('litellm_patch')\n"
    + RUN_SERVER,
}


@pytest.fixture
def ways(tmp_path):
    """How to start the proxy for each way: what stands before its command, and environment."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import litellm_patch\n")
    started = {
        "launcher": (console_script("litellm-patch") + ["run", "--"], {}),
        "own sitecustomize": ([], {"PYTHONPATH": str(own)}),
        "autowrapt": ([], {"AUTOWRAPT_BOOTSTRAP": "litellm_patch"}),
    }
    for name, program in PROGRAMS.items():
        path = tmp_path / f"{name.replace(' ', '_')}.py"
        # The console script that follows becomes argv[1]; drop it.
        path.write_text(f"import sys\ndel sys.argv[1]\n{program}")
        started[name] = ([sys.executable, str(path)], {})
    return started


@pytest.mark.parametrize(
    "way",
    ["launcher", "own sitecustomize", "autowrapt", *PROGRAMS],
)
def test_a_proxy_started_this_way_tells_the_cooldown(way, ways, tmp_path):
    launch, environment = ways[way]
    mark = tmp_path / "late"
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        configuration = config(group("m", stand_in.url, ["m-a", "m-b"], cooldown_time=COOLDOWN))
        with running_proxy(
            configuration, launch=launch, environment={**environment, "MARK": str(mark)}
        ) as proxy:
            cool_down(proxy, "m")
            while "after the app" in way and not mark.exists():
                time.sleep(0.05)
            answer = chat(proxy, "m")
            speech = call(
                proxy.url,
                "/v1/audio/speech",
                b'{"model": "m", "input": "x", "voice": "alloy"}',
                proxy.headers,
            )
            log = proxy.log.read_text()
    assert answer.status == 429
    # Others were refused before, so that these have places behind theirs.
    assert COOLDOWN - 20 < int(answer.retry_after or 0) <= COOLDOWN + 1
    # Speech needs the app's handler as well, also where the app was built before we came.
    assert speech.status == 429, log[-5000:]
    assert COOLDOWN - 20 < int(speech.retry_after or 0) <= COOLDOWN + 1
    assert log.count("Retry-After active on litellm") == 1, log
