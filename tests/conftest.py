"""Fixtures: real proxies with and without the patch, in front of one stand-in provider.

A test marked `needs_patch` runs twice: on the side ``with-patch``, where it must pass, and on
the side ``without-patch``, where it must fail (a strict xfail). So a test that would pass
without the patch, and therefore proves nothing, turns the run red by itself. On a native
release, where LiteLLM does some of it on its own, only the side with the patch is run, unless
the test says by ``needs_patch(native=True)`` that LiteLLM's own header does not reach it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable

import more_answers  # noqa: F401 - teaches the stand-in to serve what tests ask for
import openai
import pytest
from fake_litellm import Tree

from litellm_patch.bootstrap import LAUNCH_WITH_PATCH
from litellm_patch.seams.seam import SOURCE_MARK
from litellm_patch.tools.lab.cooling import ROUTE_ALL
from litellm_patch.tools.lab.cooling import model_list as one_of_each_provider
from litellm_patch.tools.lab.proxy import Proxy, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, StandIn, running_stand_in

pytest_plugins = ["fault_injection", "in_parallel"]

# Where a test imports LiteLLM itself, that would ask the internet for prices, three times.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

if sys.version_info < (3, 10):
    # There a profiler disturbs LiteLLM itself: it refreshes the `locals()` that LiteLLM's
    # DualCache.batch_get_cache has taken "self" out of.
    collect_ignore = ["proxy/test_success_path.py"]

# The right reasons for a failure without the patch. Anything else, such as a proxy that did
# not start, is an error on both sides.
FAILURES = (AssertionError, openai.RateLimitError)
WITH, WITHOUT = "with-patch", "without-patch"

COOLDOWN = 5
"""Seconds that `refusing` lets the groups of the shared proxies cool: long enough to ask in time on
a slow machine, short enough to wait for."""
BRIEFLY = {"Retry-After": str(COOLDOWN)}
"""Headers of a provider's refusal, which LiteLLM takes as the cooldown. (Only newer releases know a
cooldown_time per deployment.)"""
LONG_COOLDOWN = 300
"""Seconds, after a refusal without them."""

GROUPS = (
    # Model groups of the shared proxies: one for each test that needs a fresh one. There is also
    # one for each provider, for all kinds of requests.
    "chat",
    "chat-stream",
    "embeddings",
    "sdk-chat",
    "sdk-responses",
    "sdk-embeddings",
    "sdk-messages",
    "left",
    "healthy",
    "provider-429",
    "provider-429-chat",
    "provider-429-completions",
    "provider-429-messages-openai",
    "needed",
    "browser",
)
AT_ANTHROPIC = ("sdk-messages",)
"""Those of them whose deployments are called by Anthropic's API, not OpenAI's."""


@cache
def litellm_has(name: str, path: str) -> bool:
    """Whether the installed LiteLLM has `name` in one of its files."""
    found = find_spec("litellm")
    assert found is not None
    assert found.origin is not None
    source = Path(found.origin).parent / path
    return source.exists() and name in source.read_text()


def has_native_header() -> bool:
    """Whether the installed LiteLLM has its own header code (1.90.0 and later)."""
    return litellm_has("_apply_router_cooldown_retry_after", "proxy/common_request_processing.py")


def has_source_patch() -> bool:
    """Whether the installed LiteLLM was patched in its source (see patches/)."""
    return litellm_has(SOURCE_MARK, "types/router.py")


def has_rust_router() -> bool:
    """Whether the installed LiteLLM's router is in Rust (1.110.0 and later)."""
    return litellm_has("", "router_rust/__init__.py")


def checks_rpm_before_a_call() -> bool:
    """Whether `enable_pre_call_checks` looks at rpm limits; newer releases have dropped that."""
    text = "raise RouterRateLimitErrorBasic"
    return any(litellm_has(text, file) for file in ("router.py", "router_python_core.py"))


def messages_hide_what_a_provider_said() -> bool:
    """Whether ``/v1/messages`` answers 500 if a provider that is not Anthropic refuses."""
    file = "llms/anthropic/experimental_pass_through/adapters/handler.py"
    return litellm_has("Error calling litellm.acompletion for non-Anthropic model", file)


EXACT = {"LITELLM_PATCH_PACING": "off", "LITELLM_PATCH_MAX_WAIT": "none"}
"""For tests of the exact time left; else each of several clients is told more than that, and none
more than it acts on."""

STRICT = {**EXACT, "LITELLM_PATCH": "strict"}
"""With it a proxy of a release that a seam does not fit ends at its start."""

PATIENT_UVICORN = """
import wrapt

@wrapt.when_imported("uvicorn.supervisors.multiprocess")
def _(module):
    ping = getattr(getattr(module, "Process", None), "ping", None)
    if ping is not None:  # older ones do not ask their workers
        module.Process.ping = lambda self, timeout=0: ping(self, 120)
"""
"""A `sitecustomize` for a proxy of several workers. Uvicorn kills a worker that does not answer it
within 5 s, which on a busy machine is less than a worker needs to import LiteLLM."""

# In an environment whose LiteLLM is patched in its source, that is what has the patch: the
# proxies start without the launcher, and there is no side without it.
LAUNCHER = LAUNCH_WITH_PATCH
LAUNCH = {WITH: [] if has_source_patch() else LAUNCHER, WITHOUT: []}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("needs_patch")
    if marker is not None:
        on_native = marker.kwargs.get("native", False)
        params = [pytest.param(side, marks=marks) for side, marks in sides(on_native)]
        metafunc.parametrize("side", params, scope="module")


def sides(
    on_native: bool = False, must_fail: bool = True
) -> list[tuple[str, list[pytest.MarkDecorator]]]:
    """The sides on which a test that needs the patch runs, with the marks that it gets there.

    Args:
        on_native: it needs the patch on native releases, too.
        must_fail: without the patch; else it must pass there, too.
    """
    failing = pytest.mark.xfail(
        strict=True, raises=FAILURES, reason="it must fail without the patch"
    )
    if has_source_patch() or (has_native_header() and not on_native):
        return [(WITH, [])]
    return [(WITH, []), (WITHOUT, [failing] if must_fail else [])]


@pytest.fixture
def fake_litellm(tmp_path: Path) -> Tree:
    """A LiteLLM of a few lines, for tests of the machinery."""
    return Tree(tmp_path)


@pytest.fixture(autouse=True)
def _event_loop() -> None:
    """On Python 3.9 LiteLLM asks for the thread's event loop when it is imported, and a test
    that has called `asyncio.run` leaves none."""
    if sys.version_info < (3, 10):
        asyncio.set_event_loop(asyncio.new_event_loop())


@pytest.fixture(scope="session")
def stand_in() -> Iterator[StandIn]:
    with running_stand_in() as running:
        yield running


@pytest.fixture(scope="session")
def side() -> str:
    """The side of a test that is not marked `needs_patch`."""
    return WITH


@pytest.fixture(scope="session")
def proxy_on(stand_in: StandIn) -> Iterator[Callable[[str], Proxy]]:
    """Give the proxy of a side; it is started when it is first asked for and then shared."""
    anthropic = {"provider": "anthropic", "path": ""}
    model_list = [
        entry
        for name in GROUPS
        for entry in group(
            name,
            stand_in.url,
            [f"{name}-a", f"{name}-b"],
            **(anthropic if name in AT_ANTHROPIC else {}),
        )
    ]
    configuration = config(
        model_list + one_of_each_provider(stand_in.url),
        router_settings={"cooldown_time": LONG_COOLDOWN},
        **ROUTE_ALL,
    )
    running: dict[str, Proxy] = {}
    with ExitStack() as stack:

        def get(side: str) -> Proxy:
            if side not in running:
                start = running_proxy(configuration, launch=LAUNCH[side], environment=STRICT)
                running[side] = stack.enter_context(start)
            return running[side]

        yield get


@pytest.fixture
def proxy(side: str, proxy_on: Callable[[str], Proxy]) -> Proxy:
    """The shared proxy of the test's side."""
    return proxy_on(side)


@pytest.fixture
def refusing(stand_in: StandIn) -> Iterator[Callable[..., None]]:
    """Let the stand-in refuse the deployments of a model group until the test ends."""
    before = dict(stand_in.refusals)

    def refuse(model_group: str, **how: Any) -> None:
        for deployment in ("a", "b"):
            stand_in.refusals[f"{model_group}-{deployment}"] = Refuse(**{"headers": BRIEFLY, **how})

    yield refuse
    stand_in.refusals.clear()
    stand_in.refusals.update(before)
