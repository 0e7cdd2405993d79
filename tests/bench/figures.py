"""From outcomes to the rows of the CSV and of the README's table."""

from __future__ import annotations

import csv
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runs import Outcome
from scenarios import Scenario
from variants import LABELS

COLUMNS = (
    ("scenario", "variant", "seed", "proxies", "calls", "share_served", "requests_per_call")
    + ("late_median", "late_p95", "late_worst", "provider_refusals")
    + ("floor_share_served", "floor_requests_per_call", "floor_lateness")
)


@dataclass(frozen=True)
class Result:
    """The outcome of one scenario, one variant, one seed."""

    scenario: Scenario
    variant: str
    seed: int
    proxies: int
    outcome: Outcome

    def row(self) -> tuple[object, ...]:
        late = self.outcome.lateness() or (None, None, None)
        floor = self.scenario.floor()
        return (
            (self.scenario.name, self.variant, self.seed, self.proxies, len(self.outcome.calls))
            + (round(self.outcome.share_served, 4), round(self.outcome.requests_per_call, 3))
            + tuple(None if seconds is None else round(seconds, 2) for seconds in late)
            + (self.outcome.provider_refusals, round(floor.share_served, 4))
            + (floor.requests_per_call, floor.lateness)
        )


def write_csv(results: Iterable[Result], path: Path) -> None:
    """One line for each result."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(result.row() for result in results)


def write_requests(results: Iterable[Result], path: Path) -> None:
    """Requests that reached the proxies, by second and status, for the plot over time."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("scenario", "variant", "seed", "proxies", "second", "status", "requests"))
        for result in results:
            counts = Counter(
                (int(at), status) for call in result.outcome.calls for at, status in call.requests
            )
            for (second, status), number in sorted(counts.items()):
                writer.writerow(
                    (result.scenario.name, result.variant, result.seed, result.proxies)
                    + (second, status, number)
                )


def table(results: Sequence[Result]) -> str:
    """A Markdown table: a block for each scenario, seeds averaged, the floor as its last row."""
    lines = [
        "| scenario | variant | served | requests per call | late: median / p95 / worst "
        "| provider refused |",
        "| --- | --- | --: | --: | --: | --: |",
    ]
    blocks: dict[tuple[Scenario, int], dict[str, list[Outcome]]] = defaultdict(dict)
    for result in results:
        block = blocks[(result.scenario, result.proxies)]
        block.setdefault(result.variant, []).append(result.outcome)
    for (scenario, proxies), variants in blocks.items():
        title = scenario.title + (f"; {proxies} proxies on one Redis" if proxies > 1 else "")
        for name, outcomes in variants.items():
            lines.append(f"| {title} | {LABELS[name]} | {_cells(outcomes)} |")
            title = ""
        floor = scenario.floor()
        late = "" if floor.lateness is None else f"{floor.lateness:.1f} s"
        lines.append(
            f"| | *physical floor* | {floor.share_served:.0%} | {floor.requests_per_call:.2f} "
            f"| {late} | |"
        )
    return "\n".join(lines) + "\n"


def _cells(outcomes: Sequence[Outcome]) -> str:
    late = [found for found in (outcome.lateness() for outcome in outcomes) if found is not None]
    told = " / ".join(f"{statistics.mean(column):.1f}" for column in zip(*late))
    return " | ".join(
        (
            f"{statistics.mean(outcome.share_served for outcome in outcomes):.1%}",
            f"{statistics.mean(outcome.requests_per_call for outcome in outcomes):.2f}",
            f"{told} s" if told else "",
            f"{statistics.mean(outcome.provider_refusals for outcome in outcomes):.0f}",
        )
    )
