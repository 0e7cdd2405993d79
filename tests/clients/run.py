"""Play every client in every situation, against real proxies or a script, and write the outcomes.

    python tests/clients/install_clients.py FOLDER
    python tests/clients/run.py FOLDER --side "1.89.7=ENVIRONMENT" \\
        --side "1.89.7, patch=ENVIRONMENT+REPOSITORY"
    python tests/clients/run.py FOLDER --scripted
    python tests/clients/client_table.py

A side is a virtual environment with LiteLLM's proxy, and the repository whose litellm_patch is on
in it. The rows of a side in results.csv are replaced. A run takes about four minutes, since all
clients of it run at the same time, most of them asleep.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable

from front import Cell, running_front
from outcome import ASLEEP, FAILED, SERVED, WATCHED, Result, read, write
from real_clients import CLIENTS, Client, Job, playing
from situations import POLICIES, SITUATIONS, Scripted, Situation, ask

from litellm_patch.tools.lab.proxy import config, running_proxy
from litellm_patch.tools.lab.stand_in import running_stand_in

HERE = Path(__file__).parent
RESULTS, SCRIPTED = HERE / "results.csv", HERE / "scripted.csv"
START_WITHIN = 240.0  # seconds for all clients to come to an end
FIRST_WITHIN = 20.0  # seconds for one of them to get its first answer


@dataclass
class Place:
    """A cell, who plays it, in which situation, and what answers."""

    side: str
    client: Client
    situation: Situation
    cell: Cell
    model: str = "m"
    ended: tuple[float, Mapping[str, Any]] | None = None

    def result(self) -> Result:
        began, cell = self.cell.began, self.cell
        told = " ".join(asked.told for asked in cell.asked if asked.status != 200)
        common = (self.side, self.situation.name, self.client.name)
        if self.ended is None or began is None:
            seconds = 0.0 if began is None else time.monotonic() - began
            return Result(*common, ASLEEP, round(seconds, 1), len(cell.asked), told)
        at, report = self.ended
        return Result(
            *common,
            SERVED if report["served"] else FAILED,
            round(at - began, 1),
            len(cell.asked),
            told,
            round(float(report.get("closed", 0.0)), 1),
            "" if report["served"] else str(report["note"]),
        )

    def is_over(self, now: float) -> bool:
        began = self.cell.began
        return self.ended is not None or (began is not None and now - began > WATCHED)


@contextmanager
def proxied(
    side: str, where: str, places: Sequence[tuple[Client, Situation]]
) -> Iterator[list[Place]]:
    """Cells in front of a real proxy in the environment that `where` names."""
    environment, _, repository = where.partition("+")
    path = f"{repository}/litellm_patch/bootstrap:{repository}" if repository else ""
    with ExitStack() as stack:
        stand_in = stack.enter_context(running_stand_in())
        models = [_group(number, *place) for number, place in enumerate(places)]
        groups = dict(zip(models, places))
        entries = [
            entry
            for model, (client, situation) in groups.items()
            for entry in situation.deployments(model, stand_in, client.provider)
        ]
        _progress("the proxy starts")
        proxy = stack.enter_context(
            running_proxy(
                config(entries),
                program=[f"{environment}/bin/litellm"],
                environment={"PYTHONPATH": path},
            )
        )
        begin = {
            model: partial(situation.bring_about, proxy, stand_in, model)
            for model, (_, situation) in groups.items()
        }
        for model, (_, situation) in groups.items():
            if situation.long:
                _progress(f"{situation.name} begins")
                begin.pop(model)()
        yield [
            Place(side, *place, Cell(partial(ask, proxy), begin.get(model, lambda: None)), model)
            for place, model in zip(places, models)
        ]


def _group(number: int, client: Client, situation: Situation) -> str:
    """The model group of a cell. A situation that began before its clients has one for them all:
    LiteLLM keeps 200 things in memory, and forgets cooldowns when they are more."""
    if situation.long:
        return f"long-{SITUATIONS.index(situation)}-{client.provider}"
    return f"group-{number}"


def scripted(policy: str, places: Sequence[tuple[Client, Situation]]) -> Iterator[Place]:
    """Cells in front of answers that tell what a policy says."""
    for client, situation in places:
        script = Scripted(situation.lasts, POLICIES[policy])
        yield Place(policy, client, situation, Cell(script, script.begin))


def play(in_order: Sequence[Place], root: Path) -> list[Result]:
    """All places at the same time."""
    places = {str(number): place for number, place in enumerate(in_order)}
    lock = threading.Lock()

    def report(what: Mapping[str, Any]) -> None:
        with lock:
            places[what["cell"]].ended = (time.monotonic(), what)

    with ExitStack() as stack:
        url = stack.enter_context(running_front({n: place.cell for n, place in places.items()}))
        starts: dict[str, Callable[[Job], None]] = {}
        for client in {p.client.name: p.client for p in places.values()}.values():
            _progress(f"{client.name} starts")
            starts[client.name] = stack.enter_context(playing(client, root, report))
        for name, place in places.items():
            starts[place.client.name](Job(name, f"{url}/{name}", place.model))
            _wait_for_its_first_answer(place.cell)
        limit = time.monotonic() + START_WITHIN
        while True:
            now = time.monotonic()
            over = sum(place.is_over(now) for place in places.values())
            _progress(f"{over} of {len(places)} are over")
            if over == len(places) or now > limit:
                break
            time.sleep(0.5)
        return [place.result() for place in places.values()]


def _wait_for_its_first_answer(cell: Cell) -> None:
    """So that a busy proxy is not late with it: a cooldown would be over by then."""
    until = time.monotonic() + FIRST_WITHIN
    while not cell.asked and time.monotonic() < until:
        time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("folder", type=Path, help="where install_clients.py put the clients")
    parser.add_argument("--side", action="append", default=[], metavar="NAME=ENV[+REPOSITORY]")
    parser.add_argument("--scripted", action="store_true", help="every policy of situations.py")
    parser.add_argument("--policy", action="append", help="only this one")
    parser.add_argument("--client", action="append", help="only these")
    parser.add_argument("--situation", action="append", help="only these")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    chosen = [
        (client, situation)
        for client in CLIENTS
        for situation in SITUATIONS
        if client.name in (arguments.client or [client.name])
        and situation.name in (arguments.situation or [situation.name])
    ]
    if arguments.side:
        with ExitStack() as stack:
            sides = [
                stack.enter_context(proxied(*text.split("=", 1), chosen)) for text in arguments.side
            ]
            # A client on all sides in the same moment.
            in_order = [place for each in zip(*sides) for place in each]
            _keep(RESULTS, play(in_order, arguments.folder))
    for policy in (arguments.policy or POLICIES) if arguments.scripted else ():
        _keep(SCRIPTED, play([*scripted(policy, chosen)], arguments.folder))


def _keep(path: Path, results: Sequence[Result]) -> None:
    """Replace the rows of the same cells in the file."""
    new = {(r.side, r.situation, r.client): r for r in results}
    kept = {(r.side, r.situation, r.client): r for r in read(path)}
    write(path, {**kept, **new}.values())
    _progress("")


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
