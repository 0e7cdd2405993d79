"""On a request that succeeds, no function of this package is called.

Not by reading the code: a `sitecustomize` of the test's own puts a profiler into the proxy's
process, which writes down each Python function of this package that is called meanwhile.
"""

from __future__ import annotations

import json
import os
import signal
import time
from importlib.metadata import version
from pathlib import Path

from conftest import LAUNCH, WITH, has_rust_router

import litellm_patch
from litellm_patch.tools.lab.client import call, chat
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

PACKAGE = str(Path(litellm_patch.__file__).parent)

PROFILER = """
import dataclasses, json, os, signal, sys, threading

called, total = {}, 0

def profile(frame, event, argument):
    global total
    if event == "call":
        total += 1
        file = frame.f_code.co_filename
        if file.startswith(os.environ["PROFILED_PACKAGE"]):
            file = os.path.relpath(file, os.environ["PROFILED_PACKAGE"])
            place = f"{file}:{frame.f_code.co_name}"
            called[place] = called.get(place, 0) + 1

def start(*ignored):
    threading.setprofile(profile)
    sys.setprofile(profile)

def stop(*ignored):
    global total
    sys.setprofile(None)
    patch = sys.modules.get("litellm_patch")
    status = dataclasses.asdict(patch.status()) if patch else None
    with open(os.environ["PROFILE_TO"] + ".new", "w") as file:
        json.dump({"called": called, "total": total, "patch": status}, file)
    os.rename(os.environ["PROFILE_TO"] + ".new", os.environ["PROFILE_TO"])
    called.clear(); total = 0

signal.signal(signal.SIGUSR1, start)
signal.signal(signal.SIGUSR2, stop)
"""


def test_it_is_not_called_at_all(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(PROFILER)
    environment = {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.path.dirname(PACKAGE)]),
        "PROFILED_PACKAGE": PACKAGE,
        "PROFILE_TO": str(tmp_path / "profile.json"),
    }
    with running_stand_in() as stand_in:
        groups = group("good", stand_in.url, ["good-a", "good-b"])
        groups += group("bad", stand_in.url, ["bad-a", "bad-b"], cooldown_time=60)
        stand_in.refusals.update({"bad-a": Refuse(), "bad-b": Refuse()})
        start = running_proxy(config(groups), launch=LAUNCH[WITH], environment=environment)
        with start as proxy:

            def profiled(*requests) -> dict:
                report = tmp_path / "profile.json"
                os.kill(proxy.process.pid, signal.SIGUSR1)
                time.sleep(0.2)
                answers = [request() for request in requests]
                time.sleep(1)  # what LiteLLM does behind the answer counts, too
                os.kill(proxy.process.pid, signal.SIGUSR2)
                while not report.exists():
                    time.sleep(0.05)
                seen = json.loads(report.read_text())
                report.unlink()
                return {**seen, "status": [answer.status for answer in answers]}

            embed = json.dumps({"model": "good", "input": "x"}).encode()
            served = [
                lambda: chat(proxy, "good"),
                lambda: chat(proxy, "good", stream=True),
                lambda: call(proxy.url, "/v1/embeddings", embed, proxy.headers),
            ]
            first = profiled(*served)
            again = profiled(*served, *served)
            cool_down(proxy, "bad")
            refused = profiled(lambda: chat(proxy, "bad"))
            log = proxy.log.read_text()

    assert again["status"] == [200] * 6, log[-4000:]
    assert again["total"] > 1000, "the profiler saw nothing"
    assert first["called"] == again["called"] == {}
    # The profiler would have seen it.
    assert refused["status"] == [429]
    assert "seams/after_call.py:wrapper" in refused["called"]
    # Applied is not reached; what `status()` says in the running proxy tells the two apart.
    before, after = again["patch"], refused["patch"]
    assert before["litellm"] == version("litellm")
    assert {seam["state"] for seam in before["seams"]} <= {"applied", "native"}
    assert {seam["reached"] for seam in before["seams"]} == {0}
    reached = {seam["name"] for seam in after["seams"] if seam["reached"] > 0}
    rust = {"cooldown-put-async", "cooldown-active"}
    cooldown = rust if has_rust_router() else {"cooldown-begin", "cooldown-left"}
    assert reached == {*cooldown, "refusal", "proxy-exception"}
