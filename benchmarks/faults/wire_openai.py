"""What servers of OpenAI's form say: whole answers, streams and errors, as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

TEXT = "The capital of France is Paris, and the river through it is the Seine; both are older than the country."
INPUT_TOKENS, OUTPUT_TOKENS = 17, 23
USAGE = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": OUTPUT_TOKENS,
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
}
DONE = b"data: [DONE]\n\n"
_HEAD = {"id": "chatcmpl-1", "created": 1700000000, "model": "gpt-test"}


def as_json(value: object) -> bytes:
    """Compact, as servers write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def data_event(value: object, *, name: str = "") -> bytes:
    """One server-sent event."""
    first = f"event: {name}\n".encode() if name else b""
    return first + b"data: " + as_json(value) + b"\n\n"


def words_of(text: str) -> list[str]:
    """The text in pieces, as a model writes it."""
    first, *others = text.split(" ")
    return [first, *(f" {word}" for word in others)]


def completion(text: str | None = TEXT, *, finish: str | None = "stop", **fields: Any) -> dict[str, Any]:
    """A whole answer; ``fields`` are put beside or in place of its own."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return {**_HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE, **fields}


def chunk(delta: Mapping[str, Any], *, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """One chunk of a stream."""
    choice = {"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": finish}
    return {**_HEAD, "object": "chat.completion.chunk", "choices": [choice], "usage": None, **fields}


def begun(text: str = TEXT, *, words: int | None = None) -> list[bytes]:
    """The events up to the last word, or the first so many of them."""
    pieces = words_of(text)[:words]
    return [
        data_event(chunk({"role": "assistant", "content": ""})),
        *(data_event(chunk({"content": p})) for p in pieces),
    ]


def finished(finish: str = "stop") -> bytes:
    """The chunk that says why the model stopped."""
    return data_event(chunk({}, finish=finish))


def usage_event() -> bytes:
    """The chunk with the usage that comes behind the finish."""
    return data_event(chunk({}) | {"choices": [], "usage": USAGE})


def stream(text: str = TEXT) -> list[bytes]:
    """A whole stream."""
    return [*begun(text), finished(), usage_event(), DONE]


def error(message: str, *, type: str = "invalid_request_error", code: str | None = None) -> dict[str, Any]:  # noqa: A002
    """An error's body."""
    return {"error": {"message": message, "type": type, "param": None, "code": code}}


def joined(pieces: Sequence[bytes]) -> bytes:
    """Events one behind the other."""
    return b"".join(pieces)
