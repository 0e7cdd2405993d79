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
from collections.abc import Mapping
from typing import Any, Callable

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
    if seconds is not None:
        _note(SECONDS, seconds, seam=seam)
    _note(REFUSALS, 1, seam=seam, told=told)


def redis_fell_back() -> None:
    """Count a place that Redis did not give in time. Never raises."""
    _note(FALLBACKS, 1)


def _note(figure: str, value: float, **labels: str) -> None:
    try:
        for keeper in _keepers():
            keeper(figure, value, labels)
    except Exception as error:
        failed("a figure was not counted", error)


_Keeper = Callable[[str, float, Mapping[str, str]], None]
"""Notes a value of a figure, with its labels."""


def _prometheus(client: Any) -> _Keeper:
    kept = {
        REFUSALS: client.Counter(REFUSALS, _HELP[REFUSALS], ["seam", "told"]),
        SECONDS: client.Histogram(SECONDS, _HELP[SECONDS], ["seam"], buckets=_BUCKETS),
        FALLBACKS: client.Counter(FALLBACKS, _HELP[FALLBACKS]),
    }

    def note(figure: str, value: float, labels: Mapping[str, str]) -> None:
        one = kept[figure].labels(**labels) if labels else kept[figure]
        (one.observe if figure == SECONDS else one.inc)(value)

    return note


def _open_telemetry(api: Any) -> _Keeper:
    meter = api.get_meter("litellm_patch")
    kept = {
        REFUSALS: meter.create_counter(REFUSALS, description=_HELP[REFUSALS]),
        SECONDS: meter.create_histogram(SECONDS, unit="s", description=_HELP[SECONDS]),
        FALLBACKS: meter.create_counter(FALLBACKS, description=_HELP[FALLBACKS]),
    }

    def note(figure: str, value: float, labels: Mapping[str, str]) -> None:
        (kept[figure].record if figure == SECONDS else kept[figure].add)(value, labels)

    return note


class _Log:
    """Counts until the next line is due."""

    def __init__(self) -> None:
        self._begin(time.monotonic())

    def __call__(self, figure: str, value: float, labels: Mapping[str, str]) -> None:
        if figure == FALLBACKS:
            self._fallbacks += 1
        elif figure == REFUSALS:
            self._told[labels["told"]] += 1
        elif len(self._seconds) < _KEPT_AT_MOST:
            self._seconds.append(value)
        now = time.monotonic()
        if now - self._since >= EVERY and figure != SECONDS:  # those of a refusal come before it
            message = self._sum((now - self._since) / 60)
            self._begin(now)
            say(logging.INFO, message)

    def _begin(self, now: float) -> None:
        self._since, self._fallbacks = now, 0
        self._told: Counter[str] = Counter()
        self._seconds: list[float] = []

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
    "prometheus_client": _prometheus,
    "opentelemetry.metrics": _open_telemetry,
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
