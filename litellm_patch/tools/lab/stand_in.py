"""A stand-in for a model provider: answers on loopback, refuses when told to, and remembers.

A `Refuse` for a provider model decides whether it refuses, so that one deployment of a group may
fail while another works. `ANSWERS` are what it serves.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, content: object, **more: Any) -> Answer:
        return cls(json.dumps(content).encode(), **more)


def chat(body: Mapping[str, Any]) -> Answer:
    """One word, as an answer of OpenAI's chat completions."""
    message = {"role": "assistant", "content": "served"}
    return Answer.json(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": body.get("model"),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
    )


ANSWERS: dict[str, Callable[[Mapping[str, Any]], Answer]] = {"/chat/completions": chat}
"""Maps the end of a path to the function that makes an answer of a request's body."""


def answer_for(path: str, body: Mapping[str, Any]) -> Answer:
    """The answer to a request at `path`; 404 for a route that is not in the table."""
    for ending, make in ANSWERS.items():
        if path.endswith(ending):
            return make(body)
    return Answer.json({"error": {"message": f"stand-in: no route {path}"}}, status=404)


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


class StandIn:
    """The state of a running stand-in.

    Attributes:
        url: base URL without a trailing slash, for example ``http://127.0.0.1:40123``.
        refusals: provider model to `Refuse`, None if it works; ``"*"`` stands for all others.
        seen: every request, in order of arrival.
    """

    def __init__(self) -> None:
        self.url = ""
        self.refusals: dict[str, Refuse | None] = {}
        self.seen: list[Seen] = []
        self._lock = threading.Lock()

    def answer(self, path: str, body: dict[str, Any]) -> Answer:
        """Decide and remember the answer to one request."""
        model = str(body.get("model", "")) or _model_in(path)
        with self._lock:
            now = time.monotonic()
            refuse = self.refusal(model, now)
            answer = answer_for(path, body) if refuse is None else _refusal(refuse)
            self.seen.append(Seen(now, path, model, answer.status))
        return answer

    def refusal(self, model: str, now: float) -> Refuse | None:
        """Whether it refuses a model at `now`, a `time.monotonic()`, and how."""
        return self.refusals.get(model, self.refusals.get("*"))


@contextmanager
def running_stand_in(kind: type[StandIn] = StandIn) -> Iterator[StandIn]:
    """Run a stand-in on a free loopback port for the length of a ``with`` block."""
    stand_in = kind()

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
