"""A variant in a process of its own: its clients, its stand-in providers, and its proxies.

A stampede keeps the process of its clients busy for seconds. In a process together with other
variants' clients it would make those late, and thus less of a stampede.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from clients import own_delay, play, warm_up, warm_up_sdk
from result import Result, of_run
from scenarios import Scenario
from variants import Running, running_variant


class PlayerStopped(RuntimeError):
    """A variant's process ended; what it said is on stderr."""


class Player:
    """Starts a variant's process, and talks to it.

    Args:
        proxies: how many, on one Redis if they are several.
    """

    def __init__(
        self, name: str, scenarios: Sequence[Scenario], commands: Mapping[str, Path], proxies: int
    ) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(other, name, list(scenarios), dict(commands), proxies), name=name
        )
        self._process.start()
        other.close()
        self._results: dict[str, asyncio.Future[Result]] = {}

    def wait_until_warm(self) -> None:
        """Return when its proxies have served and refused for the first time.

        Raises:
            PlayerStopped: if they do not start.
        """
        self._received()

    async def play(self, scenario: Scenario, seed: int, delay: float) -> Result:
        """Play `scenario`, beginning in `delay` seconds.

        Raises:
            PlayerStopped: if the process ends meanwhile.
        """
        future = self._results[scenario.name] = asyncio.get_running_loop().create_future()
        self._connection.send((scenario, seed, delay))
        return await future

    async def listen(self) -> None:
        """Give results to who waits for them, until cancelled or the process stops."""
        try:
            while True:
                if await asyncio.to_thread(self._connection.poll, 0.5):
                    result: Result = self._received()
                    self._results[result.scenario.name].set_result(result)
        except PlayerStopped as stopped:
            for future in self._results.values():
                if not future.done():
                    future.set_exception(stopped)

    def stop(self) -> None:
        """Ask it to stop its proxies, and wait until it has."""
        self._connection.close()
        self._process.join()

    def _received(self) -> Any:
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            raise PlayerStopped(self.name) from None


def _serve(
    connection: Connection,
    name: str,
    scenarios: Sequence[Scenario],
    commands: Mapping[str, Path],
    proxies: int,
) -> None:
    with running_variant(name, scenarios, commands, proxies=proxies) as running:
        warm_up(running)
        asyncio.run(_listen(connection, running))


async def _listen(connection: Connection, running: Running) -> None:
    async def one(scenario: Scenario, seed: int, delay: float) -> None:
        watching = asyncio.create_task(own_delay(ended := asyncio.Event()))
        outcome = await play(running, scenario, seed, delay)
        ended.set()
        proxies = len(running.proxies)
        late = await watching
        connection.send(of_run(scenario, running.variant.name, seed, proxies, outcome, late))

    await warm_up_sdk(running)
    connection.send(None)
    playing = set()
    while True:
        try:
            asked = await asyncio.to_thread(connection.recv)
        except EOFError:  # it is told to stop, or who would tell it is gone
            break
        playing.add(asyncio.create_task(one(*asked)))
    for task in playing:
        task.cancel()
