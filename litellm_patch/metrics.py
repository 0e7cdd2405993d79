"""Figures for the operator, beside those that the proxy exports already.

If the process has loaded `prometheus_client`, they are kept there, so that the proxy's
``/metrics`` shows them; likewise OpenTelemetry's metrics API. Where neither works, a line in the
log sums them up, at most one every ten minutes. Only refusals are counted, and nothing is imported.

| name | labels | what it counts |
| --- | --- | --- |
| ``litellm_patch_refusals_total`` | ``seam``, ``told`` | refusals: told a ``wait``, a ``step`` \
that ends before the wait does, or ``nothing`` |
| ``litellm_patch_told_seconds`` | ``seam`` | a histogram of the seconds that were told |
| ``litellm_patch_redis_fallbacks_total`` | | places that the process gave by itself, since the \
shared Redis did not answer |
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from collections import Counter
from typing import Any, Callable, Protocol

from .log import failed, say
from .wait.forks import Lock

WAIT, STEP, NOTHING = "wait", "step", "nothing"

REFUSALS, SECONDS, FALLBACKS = (
    "litellm_patch_refusals",
    "litellm_patch_told_seconds",
    "litellm_patch_redis_fallbacks",
)
_HELP = {
    REFUSALS: "Refusals of LiteLLM by what their clients were told: a wait, a step of it, nothing",
    SECONDS: "Seconds that refused clients were told to wait",
    FALLBACKS: "Places in a process' own queue, since the shared Redis did not answer in time",
}
_BUCKETS = (1, 2, 5, 10, 20, 30, 45, 60, 90, 120)
"""Seconds. No client is told more than 120, unless the operator says so."""

EVERY = 600.0
"""Seconds between two lines in the log."""


def refused(seam: str, told: str, seconds: float | None = None) -> None:
    """Count a refusal. Never raises.

    Args:
        seam: that gave the answer its headers.
        told: `WAIT`, `STEP` or `NOTHING`.
        seconds: that the client was told.
    """
    _count(lambda keeper: keeper.refused(seam, told, seconds))


def redis_fell_back() -> None:
    """Count a place that Redis did not give in time. Never raises."""
    _count(lambda keeper: keeper.redis_fell_back())


def _count(note: Callable[[_Keeper], None]) -> None:
    try:
        for keeper in _keepers():
            note(keeper)
    except Exception as error:
        failed("a figure was not counted", error)


class _Keeper(Protocol):
    def refused(self, seam: str, told: str, seconds: float | None) -> None: ...

    def redis_fell_back(self) -> None: ...


class _Prometheus:
    def __init__(self, client: Any) -> None:
        self._refusals = client.Counter(REFUSALS, _HELP[REFUSALS], ["seam", "told"])
        self._seconds = client.Histogram(SECONDS, _HELP[SECONDS], ["seam"], buckets=_BUCKETS)
        self._fallbacks = client.Counter(FALLBACKS, _HELP[FALLBACKS])

    def refused(self, seam: str, told: str, seconds: float | None) -> None:
        self._refusals.labels(seam, told).inc()
        if seconds is not None:
            self._seconds.labels(seam).observe(seconds)

    def redis_fell_back(self) -> None:
        self._fallbacks.inc()


class _OpenTelemetry:
    def __init__(self, api: Any) -> None:
        meter = api.get_meter("litellm_patch")
        self._refusals = meter.create_counter(REFUSALS, description=_HELP[REFUSALS])
        self._seconds = meter.create_histogram(SECONDS, unit="s", description=_HELP[SECONDS])
        self._fallbacks = meter.create_counter(FALLBACKS, description=_HELP[FALLBACKS])

    def refused(self, seam: str, told: str, seconds: float | None) -> None:
        self._refusals.add(1, {"seam": seam, "told": told})
        if seconds is not None:
            self._seconds.record(seconds, {"seam": seam})

    def redis_fell_back(self) -> None:
        self._fallbacks.add(1)


class _Log:
    """Counts until the next line is due."""

    def __init__(self) -> None:
        self._begin(time.monotonic())

    def refused(self, seam: str, told: str, seconds: float | None) -> None:
        self._told[told] += 1
        if seconds is not None and len(self._seconds) < _KEPT_AT_MOST:
            self._seconds.append(seconds)
        self._say_if_due()

    def redis_fell_back(self) -> None:
        self._fallbacks += 1
        self._say_if_due()

    def _begin(self, now: float) -> None:
        self._since, self._fallbacks = now, 0
        self._told: Counter[str] = Counter()
        self._seconds: list[float] = []

    def _say_if_due(self) -> None:
        now = time.monotonic()
        if now - self._since >= EVERY:
            message = self._sum((now - self._since) / 60)
            self._begin(now)
            say(logging.INFO, message)

    def _sum(self, minutes: float) -> str:
        told, seconds = self._told, self._seconds
        median = f", {statistics.median(seconds):.0f} s in the median" if seconds else ""
        return (
            f"{sum(told.values())} refusals in {minutes:.0f} minutes: "
            f"{told[WAIT]} told a wait, {told[STEP]} a step of it{median}, "
            f"{told[NOTHING]} nothing; "
            f"Redis did not answer {self._fallbacks} times"
        )


_KEPT_AT_MOST = 10_000
_LIBRARIES: dict[str, Callable[[Any], _Keeper]] = {
    "prometheus_client": _Prometheus,
    "opentelemetry.metrics": _OpenTelemetry,
}
_lock = Lock()
_kept: dict[str, _Keeper | None] = {}
"""By the module of the library; None where it failed, so that it is not tried again."""
_log: _Log | None = None


def _keepers() -> list[_Keeper]:
    """One for each library that the process has loaded by now; the log where there is none."""
    global _log
    with _lock:
        for module, kind in _LIBRARIES.items():
            if module in sys.modules and module not in _kept:
                _kept[module] = None
                _kept[module] = kind(sys.modules[module])
        found = [keeper for keeper in _kept.values() if keeper is not None]
        if not found:
            _log = _log or _Log()  # its ten minutes begin with the first refusal
            return [_log]
        return found
