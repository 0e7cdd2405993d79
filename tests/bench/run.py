"""The benchmark: real proxies, real OpenAI SDK clients, a stand-in provider with a capacity.

    python tests/bench/run.py --short     # under 3 minutes
    python tests/bench/run.py --redis     # two proxies on one Redis
    python tests/bench/run.py --table     # the README's: overload, recoveries, Redis; three seeds
    python tests/bench/run.py --full      # that and the grid

All variants run side by side; `--variants` plays some of them alone, which needs less CPU.
The results go to a folder: `results.csv`, `requests.csv`, `table.md`, `grid.md`,
`over-time.svg`, `over-grid.svg`, and `run.json` with how long it took and how late the clients'
own process was at worst. What `results.csv` there has already is not played again, so that a
run can be stopped and resumed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Container, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Callable

from clients import own_delay, play, warm_up, warm_up_sdk
from figures import grid_table, lost, table
from plots import over_grid, over_time
from result import Result, of_run, read, write
from scenarios import GRID, RECOVERIES, Overload, Recovery, Scenario
from variants import LABELS, NATIVE, OLD, Running, environments, running_variants

SHORT: list[Scenario] = [Overload(), Recovery(30, 60)]
TABLE: list[Scenario] = [Overload(), *sorted(RECOVERIES, key=lambda one: one.calls_per_second)]
REDIS: list[Scenario] = [Overload(), Recovery(30, 12)]
BEARABLE = 7.0
"""Calls per second, of all scenarios that are played at a time, to each of the variants: four
proxies, their clients with retries, and their providers on two cores. A proxy that has to wait
for a core spreads a burst in time, so that its provider is not overloaded at all."""

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
    options.out.mkdir(parents=True, exist_ok=True)
    results = read(options.out)
    rounds = list(_rounds(options, {result.played for result in results}))
    bar = Bar(sum(_expected(scenarios) for _, scenarios, _ in rounds))
    for number, (seed, scenarios, redis) in enumerate(rounds, 1):

        def show(step: str, number: int = number) -> None:
            bar.show(f"round {number} of {len(rounds)}: {step}")

        def measured(new: Iterable[Result]) -> None:
            results.extend(new)
            write(results, options.out)  # what is measured is not lost if a later one fails

        began = time.monotonic()
        with running_variants(
            options.variants,
            scenarios,
            commands,
            redis=redis,
            waiting=lambda _: show("starting proxies"),
        ) as variants:
            for running in variants:
                show("warming up")
                warm_up(running)
            delay = asyncio.run(_play_all(variants, scenarios, seed, show, measured))
        _remember(options.out / "run.json", time.monotonic() - began, delay)
    _write(results, options.out)
    print(f"\n{table(results)}\n{grid_table(results)}\nin {options.out}", flush=True)
    for cell in lost(results):
        print(f"as shipped serves fewer calls in {cell}", flush=True)
    return 0


def _rounds(
    options: argparse.Namespace, played: Container[tuple[str, int, int]]
) -> Iterator[tuple[int, list[Scenario], bool]]:
    """Seed, scenarios that are still to be played with it, whether two proxies share a Redis."""
    alone = [SHORT] if options.short else [] if options.redis else [TABLE]
    if options.full:
        alone.append(list(GRID))
    shared = [] if options.short else [REDIS]
    for seed in range(options.seeds or (1 if options.short or options.redis else 3)):
        for proxies, batches in ((1, alone), (2, shared)):
            for batch in batches:
                left = [one for one in batch if (one.name, seed, proxies) not in played]
                if left:
                    yield seed, left, proxies > 1


def _expected(scenarios: Sequence[Scenario]) -> float:
    lasts = [
        (one.length if isinstance(one, Overload) else one.cooldown) + 10 + 3 * one.apart
        for one in scenarios
    ]
    loads = [one.calls_per_second / BEARABLE for one in scenarios]
    return 45 + max(sum(seconds * load for seconds, load in zip(lasts, loads)), *lasts)


class _Room:
    """Lets scenarios in one after the other, as long as their calls per second are bearable."""

    def __init__(self) -> None:
        self._left, self._changed = BEARABLE, asyncio.Condition()

    @asynccontextmanager
    async def taken(self, scenario: Scenario) -> AsyncIterator[None]:
        calls = min(scenario.calls_per_second, BEARABLE)
        async with self._changed:
            await self._changed.wait_for(lambda: self._left >= calls)
            self._left -= calls
        try:
            yield
        finally:
            async with self._changed:
                self._left += calls
                self._changed.notify_all()


async def _play_all(
    variants: Sequence[Running],
    scenarios: Sequence[Scenario],
    seed: int,
    show: Callable[[str], None],
    measured: Callable[[list[Result]], None],
) -> float:
    """Play every scenario against all variants side by side, as many as there is room for.

    Returns by how many seconds the clients' own process was late at worst.
    """
    for running in variants:
        await warm_up_sdk(running)
    room, playing, done = _Room(), set[str](), 0

    async def one(running: Running, scenario: Scenario, delay: float) -> Result:
        outcome = await play(running, scenario, seed, delay)
        return of_run(scenario, running.variant.name, seed, len(running.proxies), outcome)

    async def compare(number: int, scenario: Scenario) -> None:
        nonlocal done
        async with room.taken(scenario):
            playing.add(scenario.name)
            late = number % 3 * scenario.apart / 3
            plays = (
                one(running, scenario, late + place * scenario.apart)
                for place, running in enumerate(variants)
            )
            measured(await asyncio.gather(*plays))
            playing.discard(scenario.name)
            done += 1

    ended = asyncio.Event()
    watching = asyncio.create_task(own_delay(ended))
    everything = asyncio.gather(*(compare(*pair) for pair in enumerate(scenarios)))
    while not everything.done():
        show(f"{done} of {len(scenarios)} played, now {', '.join(sorted(playing))}")
        await asyncio.wait([everything], timeout=0.5)
    ended.set()
    delay = await watching
    if delay > DISTURBED:
        print(f"\ndisturbed: the clients themselves were late by {delay:.1f} s", file=sys.stderr)
    everything.result()
    return delay


def _remember(path: Path, seconds: float, late: float) -> None:
    before = json.loads(path.read_text()) if path.exists() else {"seconds": 0, "clients_late": 0}
    run = {
        "seconds": round(before["seconds"] + seconds),
        "clients_late": max(before["clients_late"], round(late, 2)),
    }
    path.write_text(json.dumps(run) + "\n")


def _write(results: Sequence[Result], folder: Path) -> None:
    (folder / "table.md").write_text(table(results))
    (folder / "grid.md").write_text(grid_table(results))
    over_time(results, folder / "over-time.svg")
    over_grid(results, folder / "over-grid.svg")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--short", action="store_true", help="under 3 minutes")
    length.add_argument("--table", action="store_true", help="the README's, half an hour")
    length.add_argument("--full", action="store_true", help="with the grid, over two hours")
    length.add_argument("--redis", action="store_true", help="only two proxies on one Redis")
    parser.add_argument("--seeds", type=int, help="how many runs of each")
    parser.add_argument("--variants", nargs="+", choices=LABELS, default=tuple(LABELS))
    parser.add_argument("--old", metavar="PYTHON", help=f"interpreter with LiteLLM {OLD}")
    parser.add_argument("--native", metavar="PYTHON", help=f"interpreter with LiteLLM {NATIVE}")
    folder = Path("build") / "bench"
    parser.add_argument("--environments", type=Path, default=folder / "environments")
    parser.add_argument("--out", type=Path, default=folder / "results")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
