"""From outcomes to the rows of the CSV and of the README's table."""

from __future__ import annotations

import csv
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runs import Outcome
from scenarios import GRID, Overload, Scenario
from variants import LABELS

COLUMNS = (
    ("scenario", "variant", "seed", "proxies", "calls", "share_served", "requests_per_call")
    + ("late_median", "late_p95", "late_worst", "provider_refusals")
    + ("floor_share_served", "floor_requests_per_call", "floor_lateness")
)


NOISE = 0.02
"""Share of calls: of some 400 calls in a run, the fortune of eight."""


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
    """A Markdown table: a block for each scenario, seeds averaged, the floor as its last row.

    The cells of the grid have a table of their own, `grid_table`.
    """
    lines = [
        "| scenario | variant | served | requests per call | late: median / p95 / worst "
        "| provider refused |",
        "| --- | --- | --: | --: | --: | --: |",
    ]
    blocks: dict[tuple[Scenario, int], dict[str, list[Outcome]]] = defaultdict(dict)
    for result in results:
        if result.scenario in GRID:
            continue
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


def grid_table(results: Sequence[Result]) -> str:
    """A Markdown table: a row for each cell of the grid, share of calls served by each variant.

    Each share is the mean over the seeds, with the lowest and the highest of them.
    """
    shares: dict[Overload, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        if result.proxies == 1 and isinstance(result.scenario, Overload):
            shares[result.scenario][result.variant].append(result.outcome.share_served)
    shown = [name for name in LABELS if any(name in row for row in shares.values())]
    lines = [
        "| capacity | burst | cooldown | "
        + " | ".join(LABELS[name] for name in shown)
        + " | physical bound |",
        "| --: | --: | --: |" + " --: |" * (len(shown) + 1),
    ]
    for cell in (one for one in GRID if one in shares):
        served = " | ".join(_spread(shares[cell][name]) for name in shown)
        lines.append(
            f"| {cell.capacity:g}/s | {cell.burst} | {cell.cooldown:g} s | {served} "
            f"| {cell.floor().share_served:.0%} |"
        )
    return "\n".join(lines) + "\n"


def _spread(shares: Sequence[float]) -> str:
    if not shares:
        return ""
    mean = f"{statistics.mean(shares):.1%}"
    return mean if len(shares) == 1 else f"{mean} ({min(shares):.0%}–{max(shares):.0%})"


def lost(results: Sequence[Result], ours: str = "as-shipped") -> list[str]:
    """The overloads in which another variant served more calls than `ours`, seeds averaged.

    Less than `NOISE`, or than the spread of the seeds of either, is no difference.
    """
    shares: dict[tuple[str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        if isinstance(result.scenario, Overload):
            block = shares[(result.scenario.name, result.proxies)]
            block[result.variant].append(result.outcome.share_served)
    found = []
    for (name, proxies), block in shares.items():
        for other, served in block.items():
            if other == ours or ours not in block:
                continue
            behind = statistics.mean(served) - statistics.mean(block[ours])
            spread = max(max(each) - min(each) for each in (served, block[ours]))
            if behind > max(NOISE, spread):
                found.append(f"{name} ({proxies} proxies): {other} by {behind:.1%}")
    return found


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
