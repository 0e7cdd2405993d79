"""The results of runs, and the two files that keep them, so that a long run can be resumed."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runs import Outcome
from scenarios import BY_NAME, Overload, Scenario

COLUMNS = (
    ("scenario", "variant", "seed", "proxies", "calls", "share_served", "requests_per_call")
    + ("late_median", "late_p95", "late_worst", "provider_refusals")
    + ("clients_late", "floor_share_served", "floor_requests_per_call", "floor_lateness")
)

Second = tuple[int, int]  # of the run, and the status that a proxy answered in it


@dataclass(frozen=True)
class Result:
    """What came of one scenario, one variant, one seed.

    Attributes:
        proxies: how many, on one Redis if they are more than one.
        late: median, 95th percentile and worst, in seconds after the cooldown's end.
        clients_late: by how many seconds the clients' own process was late at worst.
        requests: how many reached the proxies, by second and status.
    """

    scenario: Scenario
    variant: str
    seed: int
    proxies: int
    calls: int
    share_served: float
    requests_per_call: float
    late: tuple[float, ...]
    provider_refusals: int
    clients_late: float
    requests: Mapping[Second, int] = field(default_factory=dict)

    @property
    def played(self) -> tuple[str, int, int]:
        """What a run that is resumed need not play again."""
        return self.scenario.name, self.seed, self.proxies

    def row(self) -> tuple[object, ...]:
        floor = self.scenario.floor()
        return (
            (self.scenario.name, self.variant, self.seed, self.proxies, self.calls)
            + (self.share_served, self.requests_per_call)
            + (self.late or (None, None, None))
            + (self.provider_refusals, self.clients_late)
            + (round(floor.share_served, 4), floor.requests_per_call, floor.lateness)
        )


def of_run(
    scenario: Scenario, variant: str, seed: int, proxies: int, outcome: Outcome, clients_late: float
) -> Result:
    """Rounded here, so that figures come out the same from a run as from the file of one."""
    return Result(
        scenario,
        variant,
        seed,
        proxies,
        calls=len(outcome.calls),
        share_served=round(outcome.share_served, 4),
        requests_per_call=round(outcome.requests_per_call, 3),
        late=tuple(round(seconds, 2) for seconds in outcome.lateness() or ()),
        provider_refusals=outcome.provider_refusals,
        clients_late=round(clients_late, 2),
        requests=Counter(
            (int(at), status) for call in outcome.calls for at, status in call.requests
        ),
    )


def shares_served(
    results: Iterable[Result], proxies: int = 1
) -> dict[Overload, dict[str, list[float]]]:
    """Overload to variant to the share of calls that was served, a number for each seed."""
    shares: dict[Overload, dict[str, list[float]]] = {}
    for result in results:
        if isinstance(result.scenario, Overload) and result.proxies == proxies:
            of_variants = shares.setdefault(result.scenario, {})
            of_variants.setdefault(result.variant, []).append(result.share_served)
    return shares


def write(results: Iterable[Result], folder: Path) -> None:
    """``results.csv``, a line for each, and ``requests.csv``, a line for each second and status."""
    with (folder / "results.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(result.row() for result in results)
    with (folder / "requests.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*COLUMNS[:4], "second", "status", "requests"))
        for result in results:
            key = (result.scenario.name, result.variant, result.seed, result.proxies)
            writer.writerows((*key, *at, number) for at, number in sorted(result.requests.items()))


def read(folder: Path) -> list[Result]:
    """What `write` wrote there; nothing if it wrote nothing, no requests if only they are gone."""
    requests: dict[tuple[str, ...], dict[Second, int]] = defaultdict(dict)
    for row in _rows(folder / "requests.csv"):
        second = int(row["second"]), int(row["status"])
        requests[_key(row)][second] = int(row["requests"])
    return [
        Result(
            BY_NAME[row["scenario"]],
            row["variant"],
            int(row["seed"]),
            int(row["proxies"]),
            calls=int(row["calls"]),
            share_served=float(row["share_served"]),
            requests_per_call=float(row["requests_per_call"]),
            late=tuple(float(row[name]) for name in COLUMNS[7:10] if row[name]),
            provider_refusals=int(row["provider_refusals"]),
            clients_late=float(row["clients_late"]),
            requests=requests[_key(row)],
        )
        for row in _rows(folder / "results.csv")
    ]


def _key(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in COLUMNS[:4])


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with path.open(newline="") as file:
            yield from csv.DictReader(file)
