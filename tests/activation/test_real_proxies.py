"""Every way to turn the patch on, each with a real proxy process.

But for those by which proxies of other tests are started: ``python -m litellm_patch run``
(conftest), the shipped `sitecustomize` (test_servers), a program's own import before LiteLLM's
(tests/agents).
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from polling import until

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
import os, threading, time

def activate_late():
    while not os.path.exists(os.environ["LATE"]):
        time.sleep(0.05)
    import litellm_patch
    os.remove(os.environ["LATE"])

threading.Thread(target=activate_late, daemon=True).start()
"""
    + RUN_SERVER,
    "wrapt entry points": "import wrapt\nwrapt.discover_post_import_hooks('litellm_patch')\n"
    + RUN_SERVER,
}


def start(way: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """What stands before the proxy's command, and its environment."""
    if way == "launcher":
        return [*console_script("litellm-patch"), "run", "--"], {}
    if way == "autowrapt":
        return [], {"AUTOWRAPT_BOOTSTRAP": "litellm_patch"}
    if way == "own sitecustomize":
        (folder / "sitecustomize.py").write_text("import litellm_patch\n")
        return [], {"PYTHONPATH": str(folder)}
    program = folder / "program.py"
    # The console script that follows becomes argv[1]; drop it.
    program.write_text(f"import sys\ndel sys.argv[1]\n{PROGRAMS[way]}")
    return [sys.executable, str(program)], {}


@pytest.mark.parametrize("way", ["launcher", "own sitecustomize", "autowrapt", *PROGRAMS])
def test_a_proxy_started_this_way_tells_the_cooldown(way, tmp_path):
    launch, environment = start(way, tmp_path)
    late = tmp_path / "late"
    environment["LATE"] = str(late)
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        configuration = config(group("m", stand_in.url, ["m-a", "m-b"], cooldown_time=COOLDOWN))
        with running_proxy(configuration, launch=launch, environment=environment) as proxy:
            if "after the app" in way:
                late.touch()
                until(lambda: not late.exists())
            cool_down(proxy, "m")
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
