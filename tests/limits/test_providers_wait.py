"""A provider's own 429 tells its wait where the operator wants that.

Where not, it stays as LiteLLM sends it: tests/proxy/test_cooling_group.py.
"""

from __future__ import annotations

from conftest import LAUNCH, WITH, messages_hide_what_a_provider_said

from litellm_patch.tools.lab.cooling import ask
from litellm_patch.tools.lab.endpoints import ENDPOINTS
from litellm_patch.tools.lab.proxy import config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

NAMES = ["chat", "completions"]
if not messages_hide_what_a_provider_said():
    NAMES.append("messages-openai")
KINDS = [each for each in ENDPOINTS if each.name in NAMES]


def test_a_providers_own_wait_is_forwarded_where_the_operator_says_so():
    environment = {"LITELLM_PATCH_FORWARD_PROVIDER": "on"}
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse(headers={"retry-after": "7"})
        model = group("busy", stand_in.url, ["busy"])
        configuration = config(model, router_settings={"disable_cooldowns": True})
        with running_proxy(configuration, launch=LAUNCH[WITH], environment=environment) as proxy:
            answers = {kind.name: ask(proxy, kind, "busy") for kind in KINDS}
    told = {name: (answer.status, answer.retry_after) for name, answer in answers.items()}
    assert told == dict.fromkeys(answers, (429, "7"))
