"""From results to the tables of the README, and to what was lost."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence

from result import Result, shares_served
from scenarios import BY_NAME, GRID, Scenario
from variants import LABELS

NOISE = 0.02
"""Share of calls: of some 400 calls in a run, the fortune of eight."""


def table(results: Sequence[Result]) -> str:
    """A Markdown table: a block for each scenario, seeds averaged, the floor as its last row.

    The cells of the grid have a table of their own, `grid_table`.
    """
    lines = [
        "| scenario | variant | served | requests per call | late: median / p95 / worst "
        "| provider refused |",
        "| --- | --- | --: | --: | --: | --: |",
    ]
    blocks: dict[tuple[Scenario, int], dict[str, list[Result]]] = defaultdict(dict)
    for result in results:
        if result.scenario in GRID:
            continue
        block = blocks[(result.scenario, result.proxies)]
        block.setdefault(result.variant, []).append(result)
    shown = sorted(blocks, key=lambda block: (block[1], list(BY_NAME).index(block[0].name)))
    for scenario, proxies in shown:
        variants = blocks[(scenario, proxies)]
        title = scenario.title + (f"; {proxies} proxies on one Redis" if proxies > 1 else "")
        for name in (name for name in LABELS if name in variants):
            lines.append(f"| {title} | {LABELS[name]} | {_cells(variants[name])} |")
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

    Empty where no cell was played. Each share is the mean over the seeds, with the lowest and
    the highest of them.
    """
    shares = shares_served(results)
    cells = [one for one in GRID if one in shares]
    if not cells:
        return ""
    shown = [name for name in LABELS if any(name in row for row in shares.values())]
    lines = [
        "| capacity | burst | cooldown | "
        + " | ".join(LABELS[name] for name in shown)
        + " | physical bound |",
        "| --: | --: | --: |" + " --: |" * (len(shown) + 1),
    ]
    for cell in cells:
        served = " | ".join(_spread(shares[cell].get(name, ())) for name in shown)
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
    blocks = [
        (scenario.name, proxies, block)
        for proxies in sorted({result.proxies for result in results})
        for scenario, block in shares_served(results, proxies).items()
    ]
    found = []
    for name, proxies, block in blocks:
        for other, served in block.items():
            if other == ours or ours not in block:
                continue
            behind = statistics.mean(served) - statistics.mean(block[ours])
            spread = max(max(each) - min(each) for each in (served, block[ours]))
            if behind > max(NOISE, spread):
                found.append(f"{name} ({proxies} proxies): {other} by {behind:.1%}")
    return found


def _cells(results: Sequence[Result]) -> str:
    late = [result.late for result in results if result.late]
    told = " / ".join(f"{statistics.mean(column):.1f}" for column in zip(*late))
    return " | ".join(
        (
            f"{statistics.mean(result.share_served for result in results):.1%}",
            f"{statistics.mean(result.requests_per_call for result in results):.2f}",
            f"{told} s" if told else "",
            f"{statistics.mean(result.provider_refusals for result in results):.0f}",
        )
    )
