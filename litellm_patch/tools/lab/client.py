"""A plain HTTP client that shows an answer as it came: status line, every header, body."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .proxy import Proxy


@dataclass(frozen=True)
class Response:
    """An HTTP answer; header names are in lower case, in order, repeated as they were sent."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]

    @property
    def retry_after(self) -> str | None:
        """The only ``Retry-After``, or None. More than one is a defect: AssertionError."""
        values = self.all("retry-after")
        assert len(values) <= 1, f"more than one Retry-After: {values}"
        return values[0] if values else None


def call(
    url: str, path: str, body: bytes | None, headers: Mapping[str, str], timeout: float = 60
) -> Response:
    """One request, POST if there is a body; never retried, never redirected.

    Raises:
        OSError: the server cannot be reached.
    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request(
            "GET" if body is None else "POST", parts.path.rstrip("/") + path, body, dict(headers)
        )
        answer = connection.getresponse()
        return Response(
            status=answer.status,
            reason=answer.reason,
            headers=tuple((name.lower(), value) for name, value in answer.getheaders()),
            body=answer.read(),
        )
    finally:
        connection.close()


def chat(proxy: Proxy, model: str, **more: object) -> Response:
    """Ask a proxy's chat completions for one word from `model`."""
    messages = [{"role": "user", "content": "one word"}]
    body = json.dumps({"model": model, "messages": messages, **more}).encode()
    return call(proxy.url, "/v1/chat/completions", body, proxy.headers)
