"""What became of each client in each situation, and when one outcome is worse than another."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

SERVED, FAILED, ASLEEP = "served", "failed", "asleep"

WATCHED = 150.0
"""Seconds after its first request for which a client is watched. What has neither been served
nor failed by then is asleep, whatever it was told."""

SLACK = 15.0
"""Seconds by which a client may be later than another without that being worse. Backoffs are
random: the three of httpx-retries, which is told nothing on either side, take 0 to 14 s."""


@dataclass(frozen=True)
class Result:
    """One cell of the table.

    Attributes:
        side: what answered.
        outcome: `SERVED`, `FAILED`, or `ASLEEP`.
        seconds: from the first request to the outcome.
        requests: how many the client sent.
        told: what each refusal told: seconds, "-" for nothing, "no" for not to retry.
        closed: seconds for which a client that failed asks no more by itself.
    """

    side: str
    situation: str
    client: str
    outcome: str
    seconds: float
    requests: int
    told: str
    closed: float = 0.0
    note: str = ""

    @property
    def cell(self) -> str:
        """As people read it."""
        if self.outcome == ASLEEP:
            return f"waits, told {_last(self.told)} ({self.requests})"
        if self.closed:
            return f"failed, closed for {self.closed:.0f} s"
        seconds = f"{self.seconds:.1f}" if self.seconds < 9.95 else f"{self.seconds:.0f}"
        text = f"{self.outcome} {seconds} s ({self.requests})"
        return f"**{text}**" if self.outcome == SERVED else text


def worse(result: Result, than: Result) -> bool:
    """Whether `result` is worse for the caller than another one of the same client."""
    if _rank(result) != _rank(than):
        return _rank(result) > _rank(than)
    if result.outcome == ASLEEP:
        return False
    return result.seconds > than.seconds + SLACK or result.requests > than.requests + 2


def _rank(result: Result) -> int:
    if result.outcome == FAILED and result.closed > WATCHED:
        return 2
    return {SERVED: 0, FAILED: 1, ASLEEP: 2}[result.outcome]


def _last(told: str) -> str:
    last = told.split()[-1] if told else "-"
    return {"-": "nothing", "no": "not to retry"}.get(last, f"{last} s")


def read(path: Path) -> list[Result]:
    if not path.exists():
        return []
    kinds = {"seconds": float, "requests": int, "closed": float}
    with path.open(newline="") as file:
        return [
            Result(**{name: kinds.get(name, str)(value) for name, value in row.items()})
            for row in csv.DictReader(file)
        ]


def write(path: Path, results: Iterable[Result]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [each.name for each in fields(Result)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(result) for result in results)
