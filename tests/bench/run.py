"""The benchmark: real proxies, real OpenAI SDK clients, a stand-in provider with a capacity.

    python tests/bench/run.py --short     # under 3 minutes
    python tests/bench/run.py --redis     # two proxies on one Redis
    python tests/bench/run.py --table     # the README's: overload, recoveries, Redis; three seeds
    python tests/bench/run.py --full      # that and the grid
    python tests/bench/run.py --long      # six overloads of 5 minutes, and a slow provider

All variants run side by side, each with its clients in a process of its own, as many as two
cores bear at a time. The results go to a folder:
`results.csv`, `requests.csv`, `table.md`, `grid.md`, `over-time.svg`, `over-grid.svg`,
`over-cooldowns.svg`, and `run.json` with how long it took. What `results.csv` there has already
is not played again, so that a run can be stopped and resumed.
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
from plots import over_cooldowns, over_grid, over_time
from result import Result, read, write
from scenarios import GRID, LONG, RECOVERIES, SLOW_PROVIDER, Overload, Recovery, Scenario
from variants import ALWAYS, LABELS, NATIVE, OLD, environments

SHORT: list[Scenario] = [Overload(), Recovery(30, 12)]
TABLE: list[Scenario] = [Overload(), *sorted(RECOVERIES, key=lambda one: one.calls_per_second)]
REDIS: list[Scenario] = [Overload(), Recovery(30, 12)]
BEARABLE = 31.0
"""Calls per second to all proxies together that two cores can bear, with the clients, their
retries, and the providers: they are busy for two thirds of the time then. A proxy that has to
wait for a core spreads a burst in time, so that its provider is not overloaded at all."""

TOGETHER = 3
"""Scenarios that follow each other, of which each variant begins with another one: a large burst
is played beside a small one."""

PERIOD = 15.0
"""Seconds: the time between two bursts of an overload, and a whole part of the long cooldown."""

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
    bar = Bar(sum(_expected(scenarios, len(options.variants)) for _, scenarios, _ in rounds))
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
    alone = SHORT if options.short else [] if options.redis else TABLE
    if options.long:
        alone = [SLOW_PROVIDER, *LONG]
    if options.full:
        alone = [*TABLE, *sorted(GRID, key=lambda one: (one.cooldown, one.capacity))]
    if options.only:
        alone = [one for one in alone if one.name in options.only]
    shared = [] if options.short or options.long or options.only else REDIS
    once = options.short or options.redis or options.long
    for seed in range(options.seeds or (1 if once else 3)):
        for proxies, batch in ((1, alone), (2, shared)):
            left = [one for one in batch if (one.name, seed, proxies) not in played]
            if left:
                yield seed, left, proxies > 1


def _expected(scenarios: Sequence[Scenario], variants: int) -> float:
    turns = (
        math.ceil(one.busy / PERIOD) * max(1, variants * one.calls_per_second / BEARABLE)
        for one in scenarios
    )
    return 90 + PERIOD * sum(turns)


class _Room:
    """Lets scenarios in, first come first served, while their calls per second are bearable."""

    def __init__(self) -> None:
        self._left, self._changed = BEARABLE, asyncio.Condition()
        self._waiting: list[object] = []

    @asynccontextmanager
    async def taken(self, calls: float) -> AsyncIterator[None]:
        calls, turn = min(calls, BEARABLE), object()
        async with self._changed:
            self._waiting.append(turn)
            await self._changed.wait_for(lambda: self._waiting[0] is turn and self._left >= calls)
            self._waiting.remove(turn)
            self._left -= calls
            self._changed.notify_all()
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
    """Each variant plays one scenario after the other, side by side while there is room.

    The variants keep a part of `PERIOD` between their beginnings, so that their bursts, and the
    returns of those who wait, do not meet on a core.
    """
    room, done = _Room(), 0
    began, playing = time.monotonic(), dict[str, str]()
    results: dict[str, list[Result]] = {scenario.name: [] for scenario in scenarios}

    async def play(player: Player, scenario: Scenario, delay: float) -> None:
        nonlocal done
        result = await player.play(scenario, seed, delay)
        if result.clients_late > DISTURBED:
            print(
                f"\n{scenario.name}: the clients of {result.variant} were late themselves, "
                f"by {result.clients_late:.1f} s",
                file=sys.stderr,
            )
        results[scenario.name].append(result)
        if len(results[scenario.name]) == len(players):
            measured(
                sorted(results[scenario.name], key=lambda one: list(LABELS).index(one.variant))
            )
            done += 1

    async def play_all(place: int, player: Player) -> None:
        plays = []
        for scenario in _turned(scenarios, place):
            async with room.taken(scenario.calls_per_second):
                playing[player.name] = scenario.name
                phase = place * PERIOD / len(players)
                delay = (began + phase - time.monotonic()) % PERIOD
                plays.append(asyncio.create_task(play(player, scenario, delay)))
                # Who is still waiting after that returns while the next one is played.
                await asyncio.wait(plays[-1:], timeout=delay + scenario.busy)
        del playing[player.name]
        await asyncio.gather(*plays)

    listening = [asyncio.create_task(player.listen()) for player in players]
    everything = asyncio.gather(*(play_all(*pair) for pair in enumerate(players)))
    while not everything.done():
        now = ", ".join(sorted(set(playing.values())))
        show(f"{done} of {len(scenarios)} played, now {now}")
        await asyncio.wait([everything], timeout=0.5)
    for task in listening:
        task.cancel()
    everything.result()


def _turned(scenarios: Sequence[Scenario], place: int) -> Iterator[Scenario]:
    """The order in which the variant at `place` plays them: see `TOGETHER`."""
    for first in range(0, len(scenarios), TOGETHER):
        some = scenarios[first : first + TOGETHER]
        yield from (some[(place + number) % len(some)] for number in range(len(some)))


def _remember(path: Path, seconds: float) -> None:
    before = json.loads(path.read_text())["seconds"] if path.exists() else 0
    path.write_text(json.dumps({"seconds": round(before + seconds)}) + "\n")


def _write(results: Sequence[Result], folder: Path) -> None:
    (folder / "table.md").write_text(table(results))
    (folder / "grid.md").write_text(grid_table(results))
    over_time(results, folder / "over-time.svg")
    over_grid(results, folder / "over-grid.svg")
    over_cooldowns(results, folder / "over-cooldowns.svg")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--short", action="store_true", help="under 3 minutes")
    length.add_argument("--table", action="store_true", help="the README's, half an hour")
    length.add_argument("--full", action="store_true", help="with the grid, over two hours")
    length.add_argument("--redis", action="store_true", help="only two proxies on one Redis")
    length.add_argument("--long", action="store_true", help="overloads of 5 minutes, 50 minutes")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these scenarios of them")
    parser.add_argument("--seeds", type=int, help="how many runs of each")
    parser.add_argument("--variants", nargs="+", choices=LABELS)
    parser.add_argument("--old", metavar="PYTHON", help=f"interpreter with LiteLLM {OLD}")
    parser.add_argument("--native", metavar="PYTHON", help=f"interpreter with LiteLLM {NATIVE}")
    folder = Path("build") / "bench"
    parser.add_argument("--environments", type=Path, default=folder / "environments")
    parser.add_argument("--out", type=Path, default=folder / "results")
    options = parser.parse_args()
    options.variants = options.variants or (tuple(LABELS) if options.long else ALWAYS)
    return options


if __name__ == "__main__":
    sys.exit(main())
