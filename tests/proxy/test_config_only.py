"""Activation by config.yaml alone: the README's file beside it, named as a callback."""

from __future__ import annotations

import re

import pytest
import readme
from conftest import WITH

from litellm_patch.tools.lab.client import chat
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

TEXT = readme.page("activation")
CALLBACK = next(block.text for block in readme.blocks(TEXT) if "CustomLogger" in block.text)
COOLDOWN = 50  # seconds; nobody waits for its end
SETTING = "litellm_settings: {callbacks: retry_after_hook.handler}"


@pytest.mark.needs_patch
def test_a_callback_in_the_configuration_turns_it_on(side):
    assert SETTING in readme.inline(TEXT)
    callback = CALLBACK if side == WITH else CALLBACK.replace("import litellm_patch\n", "")
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        configuration = config(
            group("m", stand_in.url, ["m-a", "m-b"]),
            router_settings={"cooldown_time": COOLDOWN},
            litellm_settings={"callbacks": "retry_after_hook.handler"},
        )
        with running_proxy(configuration, files={"retry_after_hook.py": callback}) as proxy:
            cool_down(proxy, "m")
            told = chat(proxy, "m").retry_after
            assert told is not None
            assert 1 <= int(told) <= COOLDOWN + 1  # a client's place may be behind the end
            log = proxy.log.read_text()
    (applied, needed), *again = re.findall(r"Retry-After active on .*, (\d+)/(\d+) seams", log)
    assert again == []
    waiting = re.findall(r"waiting for their modules: (.*)", log)
    not_yet = sum(len(names.split(", ")) for names in waiting)
    skipped = log.count(" skipped, LiteLLM is unchanged there")
    assert int(needed) - int(applied) == skipped + not_yet, log
