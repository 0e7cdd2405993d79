"""The benchmark: real proxies, real OpenAI SDK clients, a stand-in provider with a capacity.

    python tests/bench/run.py --short     # under 3 minutes
    python tests/bench/run.py --redis     # two proxies on one Redis
    python tests/bench/run.py --table     # the README's: overload, recoveries, Redis; three seeds
    python tests/bench/run.py --full      # that and the grid

All variants run side by side, each with its clients in a process of its own; the heaviest
scenarios are played by half of the variants at a time. The results go to a folder:
`results.csv`, `requests.csv`, `table.md`, `grid.md`, `over-time.svg`, `over-grid.svg`, and
`run.json` with how long it took. What `results.csv` there has already is not played again, so
that a run can be stopped and resumed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import time
from collections.abc import AsyncIterator, Container, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Callable

from figures import grid_table, lost, table
from players import Player
from plots import over_grid, over_time
from result import Result, read, write
from scenarios import GRID, RECOVERIES, Overload, Recovery, Scenario
from variants import LABELS, NATIVE, OLD, environments

SHORT: list[Scenario] = [Overload(), Recovery(30, 60)]
TABLE: list[Scenario] = [Overload(), *sorted(RECOVERIES, key=lambda one: one.calls_per_second)]
REDIS: list[Scenario] = [Overload(), Recovery(30, 12)]
BEARABLE = 28.0
"""Calls per second to all proxies together that two cores can bear, with the clients, their
retries, and the providers. A proxy that has to wait for a core spreads a burst in time, so that
its provider is not overloaded at all."""

DISTURBED = 0.5
"""Seconds of delay in the clients' own process from which a run is not what was asked for."""


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
        show("starting proxies")
        players = [Player(name, scenarios, commands, redis) for name in options.variants]
        try:
            for player in players:
                player.wait_until_warm()
            asyncio.run(_play_all(players, scenarios, seed, show, measured))
        finally:
            for player in players:
                player.stop()
            _remember(options.out / "run.json", time.monotonic() - began)
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
    loads = [len(LABELS) * one.calls_per_second / BEARABLE for one in scenarios]
    lasts = [one.busy * math.ceil(load) for one, load in zip(scenarios, loads)]
    return 90 + max(sum(one.busy * load for one, load in zip(scenarios, loads)), *lasts)


class _Room:
    """Lets scenarios in one after the other, as long as their calls per second are bearable."""

    def __init__(self) -> None:
        self._left, self._changed = BEARABLE, asyncio.Condition()

    @asynccontextmanager
    async def taken(self, calls: float) -> AsyncIterator[None]:
        calls = min(calls, BEARABLE)
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
    players: Sequence[Player],
    scenarios: Sequence[Scenario],
    seed: int,
    show: Callable[[str], None],
    measured: Callable[[list[Result]], None],
) -> None:
    """Play every scenario against all variants side by side, as many as there is room for."""
    room, playing, done = _Room(), set[str](), 0

    async def compare(number: int, scenario: Scenario) -> None:
        nonlocal done
        turns = math.ceil(len(players) * scenario.calls_per_second / BEARABLE)
        results: list[Result] = []
        for turn in range(turns):
            results += await side_by_side(players[turn::turns], number % 3, scenario)
        results.sort(key=lambda result: list(LABELS).index(result.variant))
        measured(results)
        done += 1

    async def side_by_side(
        players: Sequence[Player], third: int, scenario: Scenario
    ) -> list[Result]:
        first = third * scenario.apart / 3
        async with room.taken(len(players) * scenario.calls_per_second):
            playing.add(scenario.name)
            plays = asyncio.gather(
                *(
                    player.play(scenario, seed, first + place * scenario.apart)
                    for place, player in enumerate(players)
                )
            )
            # The others began later, but so they will in the next scenario.
            await asyncio.wait([plays], timeout=first + scenario.busy)
        results = await plays
        playing.discard(scenario.name)
        for result in results:
            if result.clients_late > DISTURBED:
                print(
                    f"\n{scenario.name}: the clients of {result.variant} were late themselves, "
                    f"by {result.clients_late:.1f} s",
                    file=sys.stderr,
                )
        return results

    listening = [asyncio.create_task(player.listen()) for player in players]
    everything = asyncio.gather(*(compare(*pair) for pair in enumerate(scenarios)))
    while not everything.done():
        show(f"{done} of {len(scenarios)} played, now {', '.join(sorted(playing))}")
        await asyncio.wait([everything], timeout=0.5)
    for task in listening:
        task.cancel()
    everything.result()


def _remember(path: Path, seconds: float) -> None:
    before = json.loads(path.read_text())["seconds"] if path.exists() else 0
    path.write_text(json.dumps({"seconds": round(before + seconds)}) + "\n")


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
