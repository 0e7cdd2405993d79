"""A stand-in for a model provider: answers on loopback, refuses when told to, and remembers.

It serves the routes that LiteLLM's proxy calls upstream. A `Refuse` for a provider model decides
whether it refuses, so that a test can let one deployment of a group fail while another works.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .answers import Answer, answer_for


@dataclass(frozen=True)
class Refuse:
    """How the stand-in refuses a model: status, headers, and the text of the error."""

    status: int = 429
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "the stand-in provider refuses"


@dataclass(frozen=True)
class Seen:
    """A request to the stand-in, at a time of `time.monotonic()`, and the status of its answer."""

    at: float
    path: str
    model: str
    status: int


class Capacity:
    """A token bucket.

    Args:
        per_second: requests that it takes each second.
        saved: seconds' worth of them that it saves up while it is idle.
    """

    def __init__(self, per_second: float, saved: float) -> None:
        self._per_second = per_second
        self._tokens = self._most_tokens = max(1.0, per_second * saved)
        self._filled_at = time.monotonic()

    def take(self, now: float) -> bool:
        """Whether a request at `now`, a `time.monotonic()`, finds a token, which it then uses."""
        self._tokens += (now - self._filled_at) * self._per_second
        self._tokens = min(self._tokens, self._most_tokens)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class StandIn:
    """The state of a running stand-in.

    Attributes:
        url: base URL without a trailing slash, for example ``http://127.0.0.1:40123``.
        refusals: provider model to `Refuse`, None if it works; ``"*"`` stands for all others.
        capacity: for all models together; requests beyond it get a `Refuse`. None means that
            it takes everything.
        seen: every request, in order of arrival.
    """

    def __init__(self) -> None:
        self.url = ""
        self.refusals: dict[str, Refuse | None] = {}
        self.capacity: Capacity | None = None
        self.seen: list[Seen] = []
        self._lock = threading.Lock()

    def answer(self, path: str, body: dict[str, Any]) -> Answer:
        """Decide and remember the answer to one request."""
        model = str(body.get("model", "")) or _model_in(path)
        refuse = self.refusals.get(model, self.refusals.get("*"))
        with self._lock:
            now = time.monotonic()
            if refuse is None and self.capacity is not None and not self.capacity.take(now):
                refuse = Refuse()
            answer = answer_for(path, body) if refuse is None else _refusal(refuse)
            self.seen.append(Seen(now, path, model, answer.status))
        return answer

    def calls(self, model: str) -> list[Seen]:
        """The requests for one provider model."""
        with self._lock:
            return [seen for seen in self.seen if seen.model == model]


@contextmanager
def running_stand_in() -> Iterator[StandIn]:
    """Run a stand-in on a free loopback port for the length of a ``with`` block."""
    stand_in = StandIn()

    class Handler(_Handler):
        state = stand_in

    server = _Server(("127.0.0.1", 0), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, name="stand-in", daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512  # bursts of clients must not be turned away by the kernel


class _Handler(BaseHTTPRequestHandler):
    state: StandIn
    protocol_version = "HTTP/1.1"
    # Headers and body leave in two writes; without this the second waits for a delayed ACK.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = json.loads(raw)
        except ValueError:  # multipart forms carry the model as a field
            body = {"model": _form_field(raw, b"model")}
        self._answer(body if isinstance(body, dict) else {})

    def _answer(self, body: dict[str, Any]) -> None:
        answer = self.state.answer(self.path.partition("?")[0], body)
        self.send_response(answer.status)
        self.send_header("content-type", answer.content_type)
        self.send_header("content-length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: `seen` is the log."""


def _refusal(refuse: Refuse) -> Answer:
    error = {"message": refuse.message, "type": "stand_in", "code": str(refuse.status)}
    return Answer.json({"error": error}, status=refuse.status, headers=refuse.headers)


def _model_in(path: str) -> str:
    """The model in a path of Gemini's API: ``…/models/NAME:generateContent``."""
    _, found, rest = path.partition("/models/")
    return rest.partition(":")[0] if found else ""


def _form_field(raw: bytes, name: bytes) -> str:
    _, found, rest = raw.partition(b'name="' + name + b'"')
    value = rest.partition(b"\r\n\r\n")[2].partition(b"\r\n")[0] if found else b""
    return value.decode("ascii", "replace")
