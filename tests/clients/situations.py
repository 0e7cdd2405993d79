"""The situations of the table: how a model group of a real proxy gets into each of them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from front import PASSED_ON, Reply

from litellm_patch.tools.lab.client import call, chat
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import Proxy, group
from litellm_patch.tools.lab.stand_in import Refuse, StandIn, answer_for
from litellm_patch.wait.delay_seconds import delay_milliseconds, delay_seconds

sys.path.append(str(Path(__file__).parents[1]))
import more_answers  # noqa: E402, F401 - teaches the stand-in to serve what clients ask for


@dataclass(frozen=True)
class Situation:
    """Why the router refuses.

    Attributes:
        lasts: seconds.
        refuse: how the provider refuses, to bring the group into it.
        params: `litellm_params` of the group's deployments.
        budget: the group's budget is spent instead of its deployments cooled.
    """

    name: str
    lasts: float
    refuse: Refuse = field(default_factory=Refuse)
    params: Mapping[str, Any] = field(default_factory=dict)
    budget: bool = False

    @property
    def long(self) -> bool:
        """Whether it may begin well before the client does."""
        return self.lasts > 1000

    def deployments(self, name: str, stand_in: StandIn, provider: str) -> list[Any]:
        """The entries of a model group for this situation."""
        path = "" if provider == "anthropic" else "/v1"
        names = [f"{name}-a"] if self.budget else [f"{name}-a", f"{name}-b"]
        return group(name, stand_in.url, names, provider=provider, path=path, **self.params)

    def bring_about(self, proxy: Proxy, stand_in: StandIn, name: str) -> None:
        """Returns when the group is in it, and its provider would serve again."""
        if self.budget:
            return _spend(proxy, name)
        names = (f"{name}-a", f"{name}-b")
        stand_in.refusals.update(dict.fromkeys(names, self.refuse))
        try:
            cool_down(proxy, name, attempts=40)
        finally:
            for each in names:
                stand_in.refusals.pop(each)


def _cooldown(seconds: float) -> Situation:
    return Situation(f"cooldown {seconds:.0f} s", seconds, params={"cooldown_time": seconds})


def _budget(name: str, days: int) -> Situation:
    costs = {"input_cost_per_token": 1, "output_cost_per_token": 1}
    own = {"max_budget": 0.000001, "budget_duration": f"{days}d"}
    return Situation(name, days * 86400.0, params={**costs, **own}, budget=True)


SITUATIONS = (
    _cooldown(20),
    _cooldown(75),
    Situation("Retry-After: 3600", 3600, Refuse(headers={"retry-after": "3600"})),
    _budget("budget of a day", 1),
    _budget("budget of 30 days", 30),
)


def _spend(proxy: Proxy, name: str) -> None:
    for _ in range(60):  # LiteLLM books what was spent behind the answer
        if chat(proxy, name).status == 429:
            return
        time.sleep(0.5)
    raise RuntimeError(f"the budget {name} is never spent")


def ask(proxy: Proxy, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    """The answer of a real proxy."""
    # With what SDKs say about themselves, which the patch may read.
    passed = {
        name: value
        for name, value in headers.items()
        if name in PASSED_ON or name.startswith("x-stainless") or name == "user-agent"
    }
    answer = call(proxy.url, path, body, {**passed, **proxy.headers}, timeout=300)
    return Reply(answer.status, dict(answer.headers), answer.body)


def _told(seconds: float) -> dict[str, str]:
    return {"retry-after": delay_seconds(seconds), "retry-after-ms": delay_milliseconds(seconds)}


Policy = Callable[[float], dict[str, str]]
"""What a refusal tells of the seconds that are left."""

POLICIES: dict[str, Policy] = {
    "nothing": lambda left: {},
    "x-should-retry: false": lambda left: {"x-should-retry": "false"},
    "the time left": _told,
    "at most 60": lambda left: _told(min(left, 60)),
    "at most 59": lambda left: _told(min(left, 59)),
}


class Scripted:
    """Answers of a script in the place of a proxy, to see what clients do with a policy."""

    def __init__(self, lasts: float, policy: Policy) -> None:
        self._lasts, self._policy = lasts, policy
        self._ends = float("inf")

    def begin(self) -> None:
        self._ends = time.monotonic() + self._lasts

    def __call__(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        left = self._ends - time.monotonic()
        if left <= 0:
            answer = answer_for(path.partition("?")[0], json.loads(body))
            return Reply(answer.status, {"content-type": answer.content_type}, answer.body)
        message = "No deployments available for selected model, Try again in 60 seconds."
        error = {"message": message, "type": "None", "param": "None", "code": "429"}
        told = self._policy(left)
        content = {"content-type": "application/json", **told}
        return Reply(429, content, json.dumps({"error": error}).encode())
