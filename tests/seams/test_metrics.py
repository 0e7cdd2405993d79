"""Figures of refusals: where the process has a place for them, and nowhere else."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

from litellm_patch import log, metrics


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(metrics, "_kept", {})
    monkeypatch.setattr(metrics, "_log", None)
    for module in ("prometheus_client", "opentelemetry.metrics"):
        monkeypatch.delitem(sys.modules, module, raising=False)


class Noted:
    """Both a metrics library and its instruments: notes what is counted."""

    def __init__(self):
        self.noted = []

    def _made(self, name, *args, **kwargs):
        return Instrument(name, self.noted)

    Counter = Histogram = create_counter = create_histogram = _made

    def get_meter(self, name):
        return self


class Instrument:
    def __init__(self, name, noted, labels=()):
        self.name, self.noted, self._labels = name, noted, labels

    def labels(self, **labels):
        return Instrument(self.name, self.noted, labels.values())

    def inc(self, number):
        self.noted.append((self.name, *self._labels))

    def observe(self, seconds):
        self.noted.append((self.name, *self._labels, seconds))

    def add(self, number, labels):
        self.noted.append((self.name, *labels.values()))

    def record(self, seconds, labels):
        self.noted.append((self.name, *labels.values(), seconds))


@pytest.mark.parametrize("module", ["prometheus_client", "opentelemetry.metrics"])
def test_they_are_kept_where_the_process_keeps_its_own(module, monkeypatch):
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


def test_a_library_that_is_loaded_later_is_found(monkeypatch):
    metrics.refused("s", metrics.WAIT, 1.0)
    library = Noted()
    monkeypatch.setitem(sys.modules, "prometheus_client", library)
    metrics.refused("s", metrics.WAIT, 2.0)
    assert library.noted == [(metrics.SECONDS, "s", 2.0), (metrics.REFUSALS, "s", "wait")]


def test_a_library_that_fails_is_asked_once_and_the_log_takes_its_place(monkeypatch):
    asked = []

    class Broken:
        def Counter(self, *args):
            asked.append(args)
            raise ValueError("Duplicated timeseries")

    said = []
    monkeypatch.setattr(metrics, "failed", lambda what, error: said.append(what))
    monkeypatch.setitem(sys.modules, "prometheus_client", Broken())
    for _ in range(3):
        metrics.refused("s", metrics.WAIT, 1.0)
    assert (len(asked), said) == (1, ["a figure was not counted"])
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


def test_real_prometheus_shows_them():
    pytest.importorskip("prometheus_client")
    program = (
        "import prometheus_client\n"
        "from litellm_patch import metrics\n"
        "metrics.refused('proxy-exception', metrics.WAIT, 12.0)\n"
        "print(prometheus_client.generate_latest().decode())\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    line = 'litellm_patch_refusals_total{seam="proxy-exception",told="wait"} 1.0'
    assert line in said.stdout.splitlines(), said
