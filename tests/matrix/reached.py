"""Run a router of the installed LiteLLM through all refusals, and say which seams were reached.

A signature shows that a place is there, not that LiteLLM still comes by: 1.110.0 kept the
function that told of a failed fallback, and calls it where no exception is being handled.

    python tests/matrix/reached.py FOLDER [RELEASE ...]

does so with ``FOLDER/<release>/bin/python`` for the releases that have an environment there, and
writes `REACHED.md` beside this file; where releases are named, only their columns are made anew.
`tests/seams/test_reached.py` asks the installed release.
What the seams of the proxy do is in its answers, so that `ENDPOINTS.md` has it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

from litellm_patch.activation import hooks  # noqa: E402
from litellm_patch.activation.seam_state import SeamState  # noqa: E402
from litellm_patch.tools.lab.proxy import group  # noqa: E402
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in  # noqa: E402

OUTPUT = Path(__file__).with_name("REACHED.md")
OF_THE_PROXY = {"proxy-exception", "proxy-app", "proxy-app-http", "proxy-app-cors", "stream-errors"}
COOLDOWN = 600  # seconds
REACHED, NATIVE, BLIND = "reached", "–", "**no**"

HEAD = f"""# Seams that are reached

Written by `tests/matrix/reached.py` from routers that refuse for each of the reasons; do not edit.

- `{REACHED}`: LiteLLM came by, and the fallback's wait was told by the error of the group
- `{NATIVE}`: not needed in this release
- `{BLIND}`: the place is there, and LiteLLM does not come by any more
"""


def scenario() -> dict[str, str]:
    """Seam to what became of it, after each kind of refusal."""
    import litellm_patch

    litellm_patch.activate()
    import litellm

    logging.disable(logging.CRITICAL)  # LiteLLM prints a traceback for each refusal

    litellm.suppress_debug_info = True
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        stand_in.refusals.update(dict.fromkeys(["own-a", "own-b"], Refuse(status=400)))
        names = ("cooling", "cooling-sync", "own")
        router = litellm.Router(
            model_list=[e for n in names for e in group(n, stand_in.url, [f"{n}-a", f"{n}-b"])],
            fallbacks=[{"own": ["cooling"]}],
            cooldown_time=COOLDOWN,
            num_retries=0,
            allowed_fails=0,
        )
        ask = [{"role": "user", "content": "x"}]

        async def fail(model: str) -> BaseException:
            try:
                await router.acompletion(model=model, messages=ask)
            except Exception as error:
                await asyncio.sleep(0.1)  # LiteLLM books the failure behind the answer
                return error
            raise AssertionError(f"{model} was served")

        async def requests() -> None:
            for _ in range(12):
                await fail("cooling")
            wait = litellm_patch.retry_after(await fail("own"))
            assert wait is not None and wait <= COOLDOWN, f"the fallback's wait is lost: {wait}"
            await spend_a_budget()

        asyncio.run(requests())
        for _ in range(6):
            try:
                router.completion(model="cooling-sync", messages=ask)
            except Exception:
                pass
    return {
        state.name: cell(state) for state in hooks.STATES.values() if state.name not in OF_THE_PROXY
    }


def cell(state: SeamState) -> str:
    if state.reached:
        return REACHED
    if state.state == "waiting" and not hooks._exists(state.seam.module):
        state.give_up()  # what the start of a proxy does
    return NATIVE if state.state == "native" else BLIND


async def spend_a_budget() -> None:
    try:
        from litellm.router_strategy.budget_limiter import RouterBudgetLimiting
        from litellm.types.utils import BudgetConfig
    except ImportError:
        return
    from litellm.caching.caching import DualCache

    budget = BudgetConfig(budget_limit=0.1, time_period="15s")
    limiter = RouterBudgetLimiting(DualCache(), provider_budget_config={"openai": budget})
    await limiter.dual_cache.async_set_cache("provider_spend:openai:15s", 1.0, ttl=15)
    try:
        deployments = group("m", "http://127.0.0.1:9", ["a"])
        await limiter.async_filter_deployments("m", deployments, None, {})
    except ValueError:
        pass


def run(python: Path) -> dict[str, str]:
    """The same with another interpreter."""
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [str(python), __file__, "--here"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    seams = json.loads(done.stdout.splitlines()[-1])
    return {f"`{seam}`": became for seam, became in seams.items()}


if __name__ == "__main__":
    if sys.argv[1] == "--here":
        print(json.dumps(scenario()))
    else:
        from columns import update

        raise SystemExit(update(OUTPUT, HEAD, run, wrong=BLIND))
