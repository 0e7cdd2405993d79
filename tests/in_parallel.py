"""How the workers of ``pytest -n`` share the tests out.

Most tests wait, for a proxy or for the end of a cooldown, so that more workers than cores pay.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

import pytest

RUN_FOLDER = "TESTS_RUN_FOLDER"
"""Environment variable: a folder that all workers of a run have in common."""

FIRST = (
    "tests/limits",
    "tests/shared",
    "tests/proxy",
    "tests/activation",
    "tests/source",
    "tests/cli",
)
"""Where the long tests are. They begin first, so that none is left alone at the end."""

OF_SHARED_PROXIES = (
    "tests/cli/test_probe.py",
    "tests/proxy/test_browsers.py",
    "tests/proxy/test_cooling_group.py",
    "tests/proxy/test_endpoints.py",
    "tests/proxy/test_remaining_time.py",
    "tests/proxy/test_sdk_clients.py",
    "tests/seams/test_still_needed.py",
)
"""Files that use conftest's `proxy_on`: one worker's, so that its proxies are started once."""

BY_SIDE = (
    "tests/limits/test_beside_limits.py",
    "tests/limits/test_candidates.py",
    "tests/limits/test_chains.py",
    "tests/limits/test_models.py",
    "tests/limits/test_pinned.py",
    "tests/limits/test_spent_budgets.py",
    "tests/shared/test_shared_cooldown.py",
)
"""Files of whose tests none needs both sides: those without the patch may be another worker's, so
that the proxies of both sides start at the same time."""

ONE_BY_ONE = (
    "tests/activation/test_log_lines.py",
    "tests/activation/test_real_proxies.py",
    "tests/activation/test_servers.py",
    "tests/proxy/test_paced_clients.py",
    "tests/shared/test_workers.py",
)
"""Files whose tests each start proxies of their own. All others' tests share what a fixture of
their module has started, and stay together."""


def pytest_configure(config: pytest.Config) -> None:
    if RUN_FOLDER not in os.environ:  # a worker has its parent's
        folder = tempfile.TemporaryDirectory(prefix="litellm-patch-tests-")
        config.add_cleanup(folder.cleanup)
        os.environ[RUN_FOLDER] = folder.name


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            if file in OF_SHARED_PROXIES:
                return "shared proxies"
            if file in BY_SIDE:
                return f"{file} {'without-patch' in nodeid}"
            return nodeid if file in ONE_BY_ONE else file

    config.option.loadscopereorder = False  # the file with the most tests is not the longest
    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))
