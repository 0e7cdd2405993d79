"""Fixtures for tests on LiteLLM's real modules in this process, and the number of injected faults.

Each fault breaks one thing of ours, or of LiteLLM's where we touch it, and asks whether the host
notices.
"""

from __future__ import annotations

import logging
from importlib import import_module

import pytest

import litellm_patch
from litellm_patch import log
from litellm_patch.seams.table import SEAMS


def pytest_terminal_summary(terminalreporter) -> None:
    outcomes = {
        outcome: sum("faults/" in getattr(report, "nodeid", "") for report in reports)
        for outcome, reports in terminalreporter.stats.items()
        if outcome in ("passed", "failed", "error", "skipped")
    }
    told = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items() if number)
    if told:
        terminalreporter.write_line(f"fault injection: {sum(outcomes.values())} cases ({told})")


@pytest.fixture(scope="session")
def litellm_modules() -> dict:
    """The modules of all seams that this release has."""
    found = {}
    for name in dict.fromkeys(seam.module for seam in SEAMS):
        try:
            found[name] = import_module(name)
        except ImportError:
            pass
    return found


@pytest.fixture
def stock(litellm_modules):
    """LiteLLM as it is without the patch; what a test turns on is turned off again."""
    litellm_patch.deactivate()
    yield litellm_modules
    litellm_patch.deactivate()


@pytest.fixture
def patched(side):
    """LiteLLM with the patch; on the side without it, LiteLLM as it is."""
    (litellm_patch.activate if side == "with-patch" else litellm_patch.deactivate)()
    yield
    litellm_patch.deactivate()


@pytest.fixture
def lines():
    """What was logged by this package, as if for the first time in the process."""
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())
    before = dict(log._said)
    log._said.clear()
    log.LOGGER.addHandler(handler)
    level, log.LOGGER.level = log.LOGGER.level, logging.DEBUG
    log.LOGGER.manager._clear_cache()
    yield seen
    log.LOGGER.setLevel(level)
    log.LOGGER.removeHandler(handler)
    log._said.clear()
    log._said.update(before)
