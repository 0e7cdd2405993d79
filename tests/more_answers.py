"""More answers of the stand-in provider, for each route that LiteLLM calls upstream.

The package's own stand-in serves chat alone, which is all that its commands ask for.
"""

from __future__ import annotations

import json
from typing import Any

from litellm_patch.tools.lab.stand_in import ANSWERS, Answer, chat

Body = dict[str, Any]

_EVENT_STREAM = "text/event-stream"
_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def _chat(body: Body) -> Answer:
    whole = chat(body)
    if not body.get("stream"):
        return whole
    content = json.loads(whole.body)
    (choice,) = content["choices"]
    del content["usage"]
    lines = ""
    for delta, finish in ((choice["message"], None), ({}, "stop")):
        chosen = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {**content, "object": "chat.completion.chunk", "choices": [chosen]}
        lines += f"data: {json.dumps(chunk)}\n\n"
    return Answer(f"{lines}data: [DONE]\n\n".encode(), content_type=_EVENT_STREAM)


def _embeddings(body: Body) -> Answer:
    vector = {"object": "embedding", "index": 0, "embedding": [0.0, 1.0]}
    return Answer.json(
        {"object": "list", "model": body.get("model"), "data": [vector], "usage": _USAGE}
    )


# The first LiteLLM releases that have responses insist on every field.
_UNSET = (
    "error incomplete_details instructions max_output_tokens metadata previous_response_id "
    "reasoning temperature text top_p truncation user"
).split()


def _responses(body: Body) -> Answer:
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "served", "annotations": []}],
    }
    whole = {
        **dict.fromkeys(_UNSET),
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": body.get("model"),
        "output": [message],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
    }
    if not body.get("stream"):
        return Answer.json(whole)
    begun = {**whole, "status": "in_progress", "output": []}
    added = {**message, "status": "in_progress", "content": []}
    place = {"output_index": 0, "content_index": 0, "item_id": message["id"]}
    return _events(
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": added},
        {"type": "response.output_text.delta", **place, "delta": "served"},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": whole},
    )


def _events(*events: Body) -> Answer:
    """A stream of numbered events that name their type twice, as OpenAI and Anthropic do."""
    lines = (
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n"
        for number, event in enumerate(events)
    )
    return Answer("".join(lines).encode(), content_type=_EVENT_STREAM)


def _messages(body: Body) -> Answer:
    usage = {"input_tokens": 1, "output_tokens": 1}
    text = {"type": "text", "text": "served"}
    whole = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body.get("model"),
        "content": [text],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }
    if not body.get("stream"):
        return Answer.json(whole)
    delta = {"type": "text_delta", "text": "served"}
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    return _events(
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {**text, "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stop, "usage": usage},
        {"type": "message_stop"},
    )


def _search(body: Body) -> Answer:
    """Of a vector store: nothing found."""
    page = {"object": "vector_store.search_results.page", "search_query": "x", "data": []}
    return Answer.json({**page, "has_more": False, "next_page": None})


def _batch_file(body: Body) -> Answer:
    """The content of any file: a batch of three requests."""
    messages = [{"role": "user", "content": "one word"}]
    asked = {"model": "m", "messages": messages}
    lines = [
        {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": asked}
        for name in "abc"
    ]
    return Answer("".join(json.dumps(line) + "\n" for line in lines).encode())


def _speech(body: Body) -> Answer:
    return Answer(b"RIFF\x24\x00\x00\x00WAVEfmt ", content_type="audio/wav")


ANSWERS.update(
    {
        "/chat/completions": _chat,
        "/embeddings": _embeddings,
        "/responses": _responses,
        "/messages": _messages,
        "/audio/speech": _speech,
        "/content": _batch_file,
        "/search": _search,
    }
)
