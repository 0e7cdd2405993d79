"""The pictures of the README, from the results of a run."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402
from result import Result, shares_served  # noqa: E402
from scenarios import GRID, LONG, Overload  # noqa: E402
from simulate import NEW_SDK, OLD_SDK, PACED, mean_share  # noqa: E402
from variants import ALWAYS, LABELS  # noqa: E402

SERVED, REFUSED = "#2a9d6f", "#d1495b"
SHADES = {
    "without": "#9aa0a6",
    "native": "#e9a23b",
    "pacing-off": "#5b8bd0",
    "as-shipped": SERVED,
    "unknown-client": "#8fd1b6",
}


def over_time(results: Sequence[Result], path: Path) -> None:
    """Requests that reached the proxy in each second of the overload, by what they got."""
    shown = {
        result.variant: result
        for result in reversed(results)
        if result.scenario == Overload() and result.proxies == 1 and result.requests
    }
    if not shown:
        return
    figure, grid = pyplot.subplots(
        len(shown), 1, figsize=(9, 1 + 1.7 * len(shown)), sharex=True, sharey=True, squeeze=False
    )
    rows = [row[0] for row in grid]
    for axes, name in zip(rows, (name for name in LABELS if name in shown)):
        result = shown[name]
        counts: Counter[tuple[int, bool]] = Counter()
        for (second, status), requests in result.requests.items():
            counts[(second, status == 200)] += requests
        seconds = range(max(second for second, _ in counts) + 1)
        served = [counts[(second, True)] for second in seconds]
        refused = [counts[(second, False)] for second in seconds]
        axes.bar(seconds, served, 1.0, color=SERVED, label="served")
        axes.bar(seconds, refused, 1.0, bottom=served, color=REFUSED, label="refused")
        axes.set_title(
            f"{LABELS[name]}: {result.share_served:.0%} of calls served", fontsize=9, loc="left"
        )
        axes.spines[["top", "right"]].set_visible(False)
    rows[0].legend(frameon=False, fontsize=8, loc="upper right")
    rows[-1].set_xlabel("seconds")
    figure.supylabel("requests per second", fontsize=10)
    _save(figure, path)


def over_grid(results: Sequence[Result], path: Path) -> None:
    """Share served in each cell of the grid that was run, and what the simulation says of it."""
    # Cooldowns of the grid are shorter than what any client honours.
    _share_served(results, path, GRID, {name: (name, OLD_SDK) for name in ALWAYS})


def over_cooldowns(results: Sequence[Result], path: Path) -> None:
    """The same of the overloads of five minutes."""
    simulated = {name: (name, NEW_SDK) for name in ALWAYS}
    _share_served(results, path, LONG, {**simulated, "unknown-client": (PACED, OLD_SDK)})


def _share_served(
    results: Sequence[Result],
    path: Path,
    of: Sequence[Overload],
    variants: Mapping[str, tuple[str, float]],
) -> None:
    shares = shares_served(results)
    cells = [cell for cell in of if set(variants) <= set(shares.get(cell, ()))]
    if not cells:
        return
    figure, axes = pyplot.subplots(figsize=(9, 4.2))
    width = 0.8 / len(variants)
    for number, (name, as_simulated) in enumerate(variants.items()):
        offset = (number - (len(variants) - 1) / 2) * width
        places = [place + offset for place in range(len(cells))]
        measured = [100 * statistics.mean(shares[cell][name]) for cell in cells]
        axes.bar(places, measured, width, color=SHADES[name], label=LABELS[name])
        simulated = [100 * mean_share(cell, *as_simulated) for cell in cells]
        told = "simulated" if name == "as-shipped" else None
        axes.plot(places, simulated, "o", color="black", markersize=1.8, label=told)
    axes.step(
        [number - 0.5 for number in range(len(cells) + 1)],
        [100 * cell.floor().share_served for cell in (*cells, cells[-1])],
        where="post",
        color="black",
        linewidth=0.8,
        label="physical bound",
    )
    axes.set_xticks(
        range(len(cells)),
        [f"{cell.capacity}/s\n{cell.burst}\n{cell.cooldown} s" for cell in cells],
        fontsize=6,
    )
    axes.set_xlabel("capacity, burst, cooldown")
    axes.set_ylabel("calls served, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.22))
    _save(figure, path)


def _save(figure: pyplot.Figure, path: Path) -> None:
    figure.tight_layout()
    # No date and fixed ids, so that the same results give the same file.
    with matplotlib.rc_context({"svg.hashsalt": "litellm_patch"}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)
