"""The kinds of requests that a LiteLLM proxy routes to a model group, as data.

Tests are parametrised over this table, and `verify` sends all of it to running proxies. Every
entry makes a complete, small, valid request. The files in multipart forms have a few bytes, since
LiteLLM refuses a request before it reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

OPENAI, ANTHROPIC, GEMINI = "openai", "anthropic", "gemini"

_BOUNDARY = "litellm-patch-boundary"
_ASK = [{"role": "user", "content": "one word"}]


@dataclass(frozen=True)
class Upload:
    """The file of a multipart form, and the field that carries it.

    ``{model}`` in the content is replaced by the model group, as in the form's fields.
    """

    field: str
    name: str
    content: bytes
    content_type: str


_PNG = Upload("image", "x.png", b"\x89PNG\r\n\x1a\n", "image/png")
_WAV = Upload("file", "x.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav")
_MP4 = Upload("video", "x.mp4", b"\x00\x00\x00\x18ftypmp42", "video/mp4")
_LINE = (
    b'{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": '
    b'{"model": "{model}", "messages": [{"role": "user", "content": "one word"}]}}\n'
)
_JSONL = Upload("file", "x.jsonl", _LINE, "application/jsonl")


@dataclass(frozen=True)
class Endpoint:
    """One kind of request, by POST.

    Attributes:
        name: unique; how tests and people call it.
        path: with ``{model}`` where the model group stands in the URL.
        body: JSON fields, or the fields of a form where there is an `upload`; ``{model}`` in
            a string is replaced by the model group.
        provider: whose deployments the group must have for the request to reach a provider.
        upload: makes the request a multipart form.
    """

    name: str
    path: str
    body: Mapping[str, Any]
    provider: str = OPENAI
    upload: Upload | None = None

    def request(self, model: str) -> tuple[str, bytes, dict[str, str]]:
        """Path, body and headers (without the key) of this request to `model`."""
        fields = {
            name: value.replace("{model}", model) if isinstance(value, str) else value
            for name, value in self.body.items()
        }
        path = self.path.replace("{model}", model)
        if self.upload is None:
            return path, json.dumps(fields).encode(), {"content-type": "application/json"}
        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        content = self.upload.content.replace(b"{model}", model.encode())
        form = _form(fields, replace(self.upload, content=content))
        return path, form, {"content-type": kind}

    def is_absent(self, status: int, body: bytes) -> bool:
        """Whether an answer says that the proxy has no such route (rather than no such model)."""
        return status == 405 or (status == 404 and body.strip() == b'{"detail":"Not Found"}')


def _form(fields: Mapping[str, str], upload: Upload) -> bytes:
    lines = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{upload.field}"; '
        f'filename="{upload.name}"\r\nContent-Type: {upload.content_type}\r\n\r\n'
    )
    return "".join(lines + [head]).encode() + upload.content + f"\r\n--{_BOUNDARY}--\r\n".encode()


_MODEL = {"model": "{model}"}
_CHAT = {**_MODEL, "messages": _ASK}
_TEXT = {"model": "{model}", "prompt": "one word"}
_INPUT = {"model": "{model}", "input": "one word"}
_IMAGE = {"model": "{model}", "prompt": "a dot"}
_RERANK = {"model": "{model}", "query": "x", "documents": ["x", "y"]}
_MESSAGES = {**_CHAT, "max_tokens": 5}
_GEMINI = {"contents": [{"role": "user", "parts": [{"text": "one word"}]}]}
_STREAM = {"stream": True}
_VIDEO = {**_IMAGE, "video": {"id": "video_1"}}
_DOCUMENT = {"type": "document_url", "document_url": "http://127.0.0.1/x.pdf"}
_FILE = {**_MODEL, "file_id": "file_1"}
_ATTRIBUTES: dict[str, Any] = {**_MODEL, "attributes": {}}
_BATCH = {
    "model": "{model}",
    "input_file_id": "file-1",
    "endpoint": "/v1/chat/completions",
    "completion_window": "24h",
}

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("chat", "/v1/chat/completions", _CHAT),
    Endpoint("chat-stream", "/v1/chat/completions", {**_CHAT, **_STREAM}),
    Endpoint("chat-azure", "/openai/deployments/{model}/chat/completions", _CHAT),
    Endpoint("chat-engines", "/engines/{model}/chat/completions", _CHAT),
    Endpoint("chat-cursor", "/cursor/chat/completions", _INPUT),
    Endpoint("completions", "/v1/completions", _TEXT),
    Endpoint("completions-stream", "/v1/completions", {**_TEXT, **_STREAM}),
    Endpoint("completions-azure", "/openai/deployments/{model}/completions", _TEXT),
    Endpoint("embeddings", "/v1/embeddings", _INPUT),
    Endpoint("embeddings-azure", "/openai/deployments/{model}/embeddings", _INPUT),
    Endpoint("images", "/v1/images/generations", _IMAGE),
    Endpoint("images-azure", "/openai/deployments/{model}/images/generations", _IMAGE),
    Endpoint("image-edits", "/v1/images/edits", _IMAGE, upload=_PNG),
    Endpoint("speech", "/v1/audio/speech", {**_INPUT, "voice": "alloy"}),
    Endpoint("transcriptions", "/v1/audio/transcriptions", _MODEL, upload=_WAV),
    Endpoint("moderations", "/v1/moderations", _INPUT),
    Endpoint("rerank", "/v1/rerank", _RERANK, "cohere"),
    Endpoint("rerank-v2", "/v2/rerank", _RERANK, "cohere"),
    Endpoint("responses", "/v1/responses", _INPUT),
    Endpoint("responses-stream", "/v1/responses", {**_INPUT, **_STREAM}),
    Endpoint("responses-compact", "/v1/responses/compact", _INPUT),
    Endpoint("messages", "/v1/messages", _MESSAGES, ANTHROPIC),
    Endpoint("messages-stream", "/v1/messages", {**_MESSAGES, **_STREAM}, ANTHROPIC),
    Endpoint("messages-openai", "/v1/messages", _MESSAGES),
    Endpoint("messages-openai-stream", "/v1/messages", {**_MESSAGES, **_STREAM}),
    Endpoint("gemini", "/v1beta/models/{model}:generateContent", _GEMINI, GEMINI),
    Endpoint("gemini-stream", "/v1beta/models/{model}:streamGenerateContent", _GEMINI, GEMINI),
    Endpoint("interactions", "/v1beta/interactions", _INPUT, GEMINI),
    Endpoint("ocr", "/v1/ocr", {"model": "{model}", "document": _DOCUMENT}, "mistral"),
    Endpoint("videos", "/v1/videos", _IMAGE),
    Endpoint("videos-remix", "/v1/videos/video_1/remix", _IMAGE),
    Endpoint("videos-edits", "/v1/videos/edits", _VIDEO),
    Endpoint("videos-extensions", "/v1/videos/extensions", {**_VIDEO, "seconds": "4"}),
    Endpoint(
        "videos-characters", "/v1/videos/characters", {"model": "{model}", "name": "x"}, upload=_MP4
    ),
    Endpoint("batches", "/v1/batches", _BATCH),
    Endpoint("files", "/v1/files", {"purpose": "batch"}, upload=_JSONL),
    Endpoint("vector-stores", "/v1/vector_stores", {**_MODEL, "name": "x"}),
    Endpoint("vector-stores-search", "/v1/vector_stores/vs_1/search", {**_MODEL, "query": "x"}),
    Endpoint("vector-stores-update", "/v1/vector_stores/vs_1", {**_MODEL, "name": "x"}),
    Endpoint("vector-stores-files", "/v1/vector_stores/vs_1/files", _FILE),
    Endpoint("vector-stores-file", "/v1/vector_stores/vs_1/files/file_1", _ATTRIBUTES),
    Endpoint("realtime-secrets", "/v1/realtime/client_secrets", _MODEL),
    Endpoint("realtime-transcription", "/v1/realtime/transcription_sessions", _MODEL),
    Endpoint("realtime-translation", "/v1/realtime/translations/client_secrets", _MODEL),
)
