"""Figures of refusals: where the process has a place for them, and nowhere else."""

from __future__ import annotations

import logging
import os
import sys
from unittest.mock import Mock

import pytest

from litellm_patch import log, metrics


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(metrics, "_kept", {})
    monkeypatch.setattr(metrics, "_log", None)
    for module in ("prometheus_client", "opentelemetry.metrics"):
        monkeypatch.delitem(sys.modules, module, raising=False)


class Noted:
    """Both a metrics library and one of its instruments: notes what is counted."""

    def __init__(self, noted=None, *names):
        self.noted, self.names = [] if noted is None else noted, names

    def _made(self, name, *args, **kwargs):
        return Noted(self.noted, name)

    Counter = Histogram = create_counter = create_histogram = _made

    def get_meter(self, name):
        return self

    def labels(self, **labels):
        return Noted(self.noted, *self.names, *labels.values())

    def inc(self, number):
        self.noted.append(self.names)

    def observe(self, seconds):
        self.noted.append((*self.names, seconds))

    def add(self, number, labels):
        self.noted.append((*self.names, *labels.values()))

    def record(self, seconds, labels):
        self.noted.append((*self.names, *labels.values(), seconds))


@pytest.mark.parametrize("module", ["prometheus_client", "opentelemetry.metrics"])
def test_they_are_kept_where_the_process_keeps_its_own(module, monkeypatch):
    metrics.refused("s", metrics.WAIT, 1.0)  # before the library is loaded
    library = Noted()
    monkeypatch.setitem(sys.modules, module, library)
    metrics.refused("s", metrics.WAIT, 12.0)
    metrics.refused("s", metrics.NOTHING)
    metrics.redis_fell_back()
    assert library.noted == [
        (metrics.SECONDS, "s", 12.0),
        (metrics.REFUSALS, "s", "wait"),
        (metrics.REFUSALS, "s", "nothing"),
        (metrics.FALLBACKS,),
    ]


def test_a_library_that_fails_is_asked_once_and_the_log_takes_its_place(monkeypatch):
    library = Mock(**{"Counter.side_effect": ValueError("Duplicated timeseries")})
    failed = Mock()
    monkeypatch.setattr(metrics, "failed", failed)
    monkeypatch.setitem(sys.modules, "prometheus_client", library)
    for _ in range(3):
        metrics.refused("s", metrics.WAIT, 1.0)
    library.Counter.assert_called_once()
    failed.assert_called_once()
    assert metrics._log._told[metrics.WAIT] == 3


def test_a_forked_child_counts_although_a_thread_of_its_parent_held_the_lock():
    with metrics._lock:
        child = os.fork()
        if child == 0:
            metrics.refused("s", metrics.WAIT)
            os._exit(metrics._log._told[metrics.WAIT])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def test_without_one_the_log_sums_up_every_ten_minutes(monkeypatch, caplog):
    now = [1000.0]
    monkeypatch.setattr(metrics.time, "monotonic", lambda: now[0])
    caplog.set_level(logging.INFO, logger=log.LOGGER.name)
    metrics.refused("s", metrics.WAIT, 10.0)
    metrics.refused("s", metrics.STEP, 30.0)
    now[0] += metrics.EVERY - 1
    metrics.redis_fell_back()
    assert caplog.messages == []
    now[0] += 1
    metrics.refused("s", metrics.NOTHING)
    assert caplog.messages == [
        "3 refusals in 10 minutes: 1 told a wait, 1 a step of it, 20 s in the median, 1 nothing; "
        "Redis did not answer 1 times"
    ]
    now[0] += metrics.EVERY
    metrics.refused("s", metrics.NOTHING)
    assert caplog.messages[1].startswith("1 refusals in 10 minutes: 0 told a wait, 0 a step of it,")
