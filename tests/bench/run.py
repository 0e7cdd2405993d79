"""The benchmark: real proxies, real OpenAI SDK clients, a stand-in provider with a capacity.

    python tests/bench/run.py --short     # under 3 minutes
    python tests/bench/run.py --redis     # two proxies on one Redis
    python tests/bench/run.py --full      # both, the grid, more recoveries, three seeds

All variants run side by side; `--variants` plays some of them alone, which needs less CPU.
The results go to a folder: `results.csv`, `requests.csv`, `table.md`, `over-time.svg`,
`over-grid.svg`, and `run.json` with how long it took and how late the clients' own process was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from clients import own_delay, play, warm_up, warm_up_sdk
from figures import Result, table, write_csv, write_requests
from plots import over_grid, over_time
from scenarios import GRID, RECOVERIES, Overload, Recovery, Scenario
from variants import LABELS, NATIVE, OLD, Running, environments, running_variants

SHORT: list[list[Scenario]] = [[Overload(), Recovery(30, 60)]]
REDIS: list[list[Scenario]] = [[Overload(), Recovery(30, 12)]]
APART = 2.5
"""Seconds between the starts of two variants, which keeps their bursts apart on few cores."""


DISTURBED = 0.2
"""Seconds of delay in the clients' own process from which the lateness of a run says little."""


class Bar:
    """A progress bar in seconds on stderr; lines instead where that is no terminal."""

    def __init__(self, expected: float) -> None:
        self._began, self._expected, self._said = time.monotonic(), max(expected, 1.0), -1

    def show(self, step: str) -> None:
        seconds = time.monotonic() - self._began
        part = min(seconds / self._expected, 0.99)
        if sys.stderr.isatty():
            filled = "#" * int(30 * part)
            sys.stderr.write(f"\r[{filled:30}] {part:4.0%} {seconds:5.0f} s  {step:40}")
            sys.stderr.flush()
        elif int(seconds / 15) != self._said:
            self._said = int(seconds / 15)
            print(f"{part:4.0%} {seconds:5.0f} s  {step}", file=sys.stderr, flush=True)


def main() -> int:
    options = _options()
    commands = environments({OLD: options.old, NATIVE: options.native}, options.environments)
    seeds = range(options.seeds or (3 if options.full else 1))
    alone = SHORT if options.short else list(_full(options.at_once)) if options.full else []
    shared = [] if options.short else REDIS
    rounds = [(batch, seed, False) for seed in seeds for batch in alone]
    rounds += [(batch, seed, True) for seed in seeds for batch in shared]
    bar = Bar(sum(_expected(batch) for batch, _, _ in rounds))
    results: list[Result] = []
    began, late = time.monotonic(), 0.0
    for number, (batch, seed, redis) in enumerate(rounds, 1):
        step = f"round {number} of {len(rounds)}"
        found, delay = _round(batch, seed, redis, options.variants, commands, bar, step)
        results, late = results + found, max(late, delay)
        _write(results, options.out)  # what is measured is not lost when a later round fails
        run = {"seconds": round(time.monotonic() - began), "clients_late": round(late, 2)}
        (options.out / "run.json").write_text(json.dumps(run) + "\n")
    print(f"\n{table(results)}\nin {options.out}", flush=True)
    return 0


def _full(at_once: int) -> Iterator[list[Scenario]]:
    yield [*RECOVERIES]
    cells: list[Scenario] = [Overload(), *GRID]
    for first in range(0, len(cells), at_once):
        yield cells[first : first + at_once]


def _expected(batch: Sequence[Scenario]) -> float:
    lasts = [one.length if isinstance(one, Overload) else one.cooldown for one in batch]
    return 45 + max(lasts) + 20


def _round(
    batch: Sequence[Scenario],
    seed: int,
    redis: bool,
    names: Sequence[str],
    commands: Mapping[str, Path],
    bar: Bar,
    step: str,
) -> tuple[list[Result], float]:
    def starting(_: float) -> None:
        bar.show(f"{step}: starting proxies")

    with running_variants(names, batch, commands, redis=redis, waiting=starting) as variants:
        for running in variants:
            bar.show(f"{step}: warming up")
            warm_up(running)
        return asyncio.run(_play_all(variants, batch, seed, bar, step))


async def _play_all(
    variants: Sequence[Running], batch: Sequence[Scenario], seed: int, bar: Bar, step: str
) -> tuple[list[Result], float]:
    async def one(running: Running, scenario: Scenario, delay: float) -> Result:
        outcome = await play(running, scenario, seed, delay)
        return Result(scenario, running.variant.name, seed, len(running.proxies), outcome)

    for running in variants:
        await warm_up_sdk(running)
    ended = asyncio.Event()
    watching = asyncio.create_task(own_delay(ended))
    plays = asyncio.gather(
        *(
            one(running, scenario, number * APART)
            for scenario in batch
            for number, running in enumerate(variants)
        )
    )
    while not plays.done():
        bar.show(f"{step}: {', '.join(scenario.name for scenario in batch)}")
        await asyncio.wait([plays], timeout=0.5)
    ended.set()
    delay = await watching
    if delay > DISTURBED:
        print(f"\ndisturbed: the clients themselves were late by {delay:.1f} s", file=sys.stderr)
    return list(plays.result()), delay


def _write(results: Sequence[Result], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(results, folder / "results.csv")
    write_requests(results, folder / "requests.csv")
    (folder / "table.md").write_text(table(results))
    over_time(results, folder / "over-time.svg")
    over_grid(results, folder / "over-grid.svg")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--short", action="store_true", help="under 3 minutes")
    length.add_argument("--full", action="store_true", help="everything, about an hour and a half")
    length.add_argument("--redis", action="store_true", help="only two proxies on one Redis")
    parser.add_argument("--seeds", type=int, help="how many runs of each (default 1, full 3)")
    parser.add_argument(
        "--at-once", type=int, default=2, help="cells of the grid that run together (default 2)"
    )
    parser.add_argument(
        "--variants", nargs="+", choices=LABELS, default=list(LABELS), help="only some of them"
    )
    parser.add_argument("--old", metavar="PYTHON", help=f"interpreter with LiteLLM {OLD}")
    parser.add_argument("--native", metavar="PYTHON", help=f"interpreter with LiteLLM {NATIVE}")
    folder = Path("build") / "bench"
    parser.add_argument("--environments", type=Path, default=folder / "environments")
    parser.add_argument("--out", type=Path, default=folder / "results")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
