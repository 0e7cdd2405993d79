"""The proxies that are compared: which LiteLLM, with or without the patch, with which options."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from capacity import Capacity, limited_to
from scenarios import Overload, Scenario

from litellm_patch.tools.lab.proxy import Proxy, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import StandIn, running_stand_in

sys.path.append(str(Path(__file__).parents[1]))
from redis_server import running_redis  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[2]
OLD, NATIVE = "1.89.7", "1.102.4"
QUICK = {"LITELLM_DISABLE_REDACT_SECRETS": "true"}
"""Before it logs a refusal a proxy searches the traceback for secrets. That took 16 % of its time
in an overload (py-spy): time in which two cores can play more variants side by side."""

SERVED, COOLED = "warm-up-served", "warm-up-cooled"
"""Model groups that are called before anything is measured; the second one is cooled."""


@dataclass(frozen=True)
class Variant:
    """One column of the comparison.

    Attributes:
        told: whether several proxies know how many they are.
        scripts: whether they may run scripts in their Redis; else each has its own queue.
        client: the User-Agent of its clients, in place of what the SDK says about itself.
    """

    name: str
    release: str
    patched: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    client: str | None = None
    told: bool = False
    scripts: bool = True


VARIANTS = (
    Variant("without", OLD),
    Variant("native", NATIVE),
    Variant("pacing-off", OLD, True, {"LITELLM_PATCH_PACING": "off"}),
    Variant("as-shipped", OLD, True),
    Variant("unknown-client", OLD, True, client="some client"),
    Variant("told", OLD, True, told=True, scripts=False),
    Variant("unaware", OLD, True, scripts=False),
)
LABELS = {
    "without": f"{OLD}, without the patch",
    "native": f"{NATIVE}, LiteLLM's own header",
    "pacing-off": f"{OLD}, patch, pacing off",
    "as-shipped": f"{OLD}, patch as shipped",
    "unknown-client": f"{OLD}, patch as shipped, an SDK that it does not know",
    "told": f"{OLD}, patch, each proxy with its own queue, told their number",
    "unaware": f"{OLD}, patch, each proxy with its own queue",
}
ALWAYS, LONGER = tuple(LABELS)[:4], tuple(LABELS)[:5]
"""What is compared if nothing else is asked for. What a queue gains that knows what its clients
honour shows behind long cooldowns alone."""

FLEET = ("as-shipped", "told", "unaware")
"""What is compared where several proxies share a Redis."""


def environments(given: Mapping[str, str | None], folder: Path) -> dict[str, Path]:
    """The folder of commands of each release's environment; built with uv where none is given.

    Args:
        given: release to the path of a Python interpreter that has LiteLLM's proxy.
        folder: where environments are built, and found again.
    """
    found = {}
    for release, interpreter in given.items():
        bin_ = Path(interpreter).parent if interpreter else folder / release / "bin"
        if not (bin_ / "litellm").exists():
            _build(folder / release, release)
        found[release] = bin_
    return found


def _build(folder: Path, release: str) -> None:
    # A proxy formats several tracebacks for each refusal, which 3.11 and later do slowly.
    python = "python3.10"
    # pyenv's shim of it may be there, and end with an error.
    if not shutil.which(python) or subprocess.run([python, "-V"], capture_output=True).returncode:
        python = sys.executable
    print(f"building an environment with LiteLLM {release} in {folder} ...", file=sys.stderr)
    subprocess.run(["uv", "venv", "-q", "--clear", "-p", python, str(folder)], check=True)
    # In each request a proxy looks for OpenTelemetry, which its image has; where that is missing,
    # or where there is no bytecode, it loads modules each time.
    wanted = [f"litellm[proxy]=={release}", "opentelemetry-sdk", "redis", "-e", str(REPOSITORY)]
    install = ["uv", "pip", "install", "-q", "--compile-bytecode", "-p"]
    subprocess.run([*install, str(folder / "bin" / "python"), *wanted], check=True)


class Running:
    """A running variant: its proxies, and the stand-in provider of each scenario."""

    def __init__(self, variant: Variant, stand_ins: Mapping[str, StandIn]) -> None:
        self.variant = variant
        self.stand_ins = stand_ins
        self.proxies: list[Proxy] = []


@contextmanager
def running_variant(
    name: str, scenarios: Sequence[Scenario], commands: Mapping[str, Path], *, proxies: int = 1
) -> Iterator[Running]:
    """Run the proxies of the variant of this name, with a model group for each scenario.

    Args:
        commands: release to the folder of its environment's commands.
        proxies: how many; several share a Redis server of their own.
    """
    (variant,) = (one for one in VARIANTS if one.name == name)
    with ExitStack() as stack:
        stand_ins = {one.name: stack.enter_context(_stand_in(one)) for one in scenarios}
        for group_name in (SERVED, COOLED):
            stand_ins[group_name] = stack.enter_context(running_stand_in())
        running = Running(variant, stand_ins)
        shared = {}
        if proxies > 1:
            server = stack.enter_context(running_redis())
            if not variant.scripts:
                server.ask("acl", "setuser", "default", "-@scripting")
            shared = {"redis_host": "127.0.0.1", "redis_port": server.port}
        for _ in range(proxies):
            start = _proxy(running, scenarios, commands[variant.release], shared, proxies)
            running.proxies.append(stack.enter_context(start))
        yield running


def _stand_in(scenario: Scenario) -> AbstractContextManager[StandIn]:
    if not isinstance(scenario, Overload):
        return running_stand_in()
    return running_stand_in(limited_to(Capacity(scenario.capacity, scenario.saved)))


def _proxy(
    running: Running,
    scenarios: Sequence[Scenario],
    commands: Path,
    shared: Mapping[str, Any],
    proxies: int,
) -> Any:
    groups = {SERVED: 1, COOLED: 30, **{scenario.name: scenario.cooldown for scenario in scenarios}}
    model_list = [
        entry
        for name, cooldown in groups.items()
        for entry in group(
            name,
            running.stand_ins[name].url,
            [f"{name}-a", f"{name}-b"],
            cooldown_time=cooldown,
        )
    ]
    variant = running.variant
    patch = [str(commands / "python"), "-m", "litellm_patch"]
    workers = {"LITELLM_PATCH_WORKERS": str(proxies)} if variant.told else {}
    return running_proxy(
        config(model_list, router_settings=shared),
        launch=[*patch, "run", "--"] if variant.patched else [],
        program=[str(commands / "litellm")],
        environment={**QUICK, **variant.environment, **workers},
    )
