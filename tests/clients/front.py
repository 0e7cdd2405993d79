"""Stand between clients and what answers them, and note every request.

A client is known by the first part of its path, its *cell*: ``http://127.0.0.1:1234/17/v1/…``.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable

ASKS = ("/chat/completions", "/messages", "/responses")
"""The paths that count. Agents ask for more than that, for example lists of models."""

PASSED_ON = ("authorization", "x-api-key", "anthropic-version", "anthropic-beta", "content-type")


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Asked:
    """A request that counted: seconds after the first, its answer's status, and what it told."""

    at: float
    status: int
    told: str


Answer = Callable[[str, bytes, Mapping[str, str]], Reply]
"""Called with path, body and headers of a request."""


@dataclass
class Cell:
    """One client in one situation.

    Attributes:
        prepare: called once, when the first request is there and before it is answered.
        began: `time.monotonic()` after that; None before.
    """

    answer: Answer
    prepare: Callable[[], None] = lambda: None
    began: float | None = None
    asked: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        with self.lock:
            if self.began is None:
                self.prepare()
                self.began = time.monotonic()
        at = time.monotonic() - self.began
        answered = self.answer(path, body, headers)
        self.asked.append(Asked(at, answered.status, _told(answered.headers)))
        return answered


def _told(headers: Mapping[str, str]) -> str:
    """What an answer tells: seconds, "no" where it forbids to retry, or "-"."""
    lower = {name.lower(): value for name, value in headers.items()}
    if "retry-after-ms" in lower:
        return f"{float(lower['retry-after-ms']) / 1000:.1f}"
    return lower.get("retry-after") or ("no" if lower.get("x-should-retry") == "false" else "-")


@contextmanager
def running_front(cells: Mapping[str, Cell]) -> Iterator[str]:
    """Serve `cells` on a free loopback port; gives the base URL that a cell's name is added to."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"cells": cells}))
    threading.Thread(target=server.serve_forever, name="front", daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients are ended while they wait."""


class _Handler(BaseHTTPRequestHandler):
    cells: Mapping[str, Cell]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._send(Reply(404, {"content-type": "application/json"}, b"{}"))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        name, _, path = self.path.lstrip("/").partition("/")
        path = f"/{path}"
        cell = self.cells.get(name)
        if cell is None or not path.partition("?")[0].endswith(ASKS):
            return self.do_GET()
        headers = {key.lower(): value for key, value in self.headers.items()}
        try:
            self._send(cell.reply(path, body, headers))
        except Exception as error:  # a proxy that cannot be reached, or a group that did not cool
            text = json.dumps({"error": {"message": f"the lab failed: {error!r}"}})
            print(f"\n{name}: {error!r}"[:300], flush=True)
            self._send(Reply(400, {"content-type": "application/json"}, text.encode()))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for key, value in reply.headers.items():
            if key.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(key, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the cells are the log."""
