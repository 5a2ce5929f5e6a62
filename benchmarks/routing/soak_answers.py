"""Questions that each have one answer, told from its number alone: whoever gets another one sees it.

Servers answer in OpenAI's form. What does not differ between answers is written once.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from rag_engine.types.generation import CallContext, Prompt

_WORDS = (
    "fox",
    "über",
    "river",
    "naïve",
    "stone",
    "日本",
    "lantern",
    "wind",
    "🙂",
    "harbour",
    "ink",
    "oak",
    "rye",
    "sea",
)
_NUMBER = re.compile(rb"\[question (\d+)\]")
_STREAMED = re.compile(rb'"stream": ?true')
_HEAD = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": "gpt-4o-mini"}
# Stands in the templates for the text of an answer, as JSON.
_TEXT = "TEXT"
MODEL = "openai/gpt-4o-mini"
SHORTEST, LONGEST = 4, 40


def prompt_of(number: int) -> Prompt:
    """The question of a number; its call's id is the number too."""
    return Prompt(
        question=f"[question {number}]",
        instructions="Answer with the words of the question's number.",
        content=f"What are the words of [question {number}]?",
        sources=(),
        tokens=0,
        call=CallContext(id=str(number)),
    )


def number_of(body: bytes) -> int | None:
    """The number of the question that a request asks."""
    found = _NUMBER.search(body)
    return int(found[1]) if found else None


def wants_stream(body: bytes) -> bool:
    """Whether the request asks for a stream."""
    return _STREAMED.search(body) is not None


def words_of(number: int) -> list[str]:
    """The answer in the pieces in which it is streamed."""
    digest = hashlib.blake2b(str(number).encode()).digest()
    length = SHORTEST + digest[0] % (LONGEST - SHORTEST + 1)
    words = [_WORDS[digest[1 + place % 63] % len(_WORDS)] for place in range(length)]
    return [f"{number}:", *(f" {word}" for word in words), f" end of {number}."]


def text_of(number: int) -> str:
    """The one right answer."""
    return "".join(words_of(number))


def _written(fields: dict[str, Any]) -> tuple[bytes, bytes]:
    before, _, after = json.dumps(fields, separators=(",", ":")).encode().partition(f'"{_TEXT}"'.encode())
    return before, after


_MESSAGE = {"role": "assistant", "content": _TEXT, "refusal": None}
_USAGE = {"prompt_tokens": 20, "completion_tokens": 20, "total_tokens": 40}
_WHOLE = _written(
    {
        **_HEAD,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": _MESSAGE, "logprobs": None, "finish_reason": "stop"}],
        "usage": _USAGE,
    }
)
_CHUNK = {**_HEAD, "object": "chat.completion.chunk"}
_DELTA = _written({**_CHUNK, "choices": [{"index": 0, "delta": {"content": _TEXT}, "finish_reason": None}]})
_STOP = json.dumps({**_CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}).encode()
_SPENT = json.dumps({**_CHUNK, "choices": [], "usage": _USAGE}).encode()
_DONE = b"[DONE]"


def whole_body(text: str) -> bytes:
    """The JSON of a whole answer."""
    return json.dumps(text).encode().join(_WHOLE)


def stream_events(words: list[str], *, ended: bool = True) -> list[bytes]:
    """The events of a streamed answer; without ``ended`` those alone that hold its text."""
    written = [json.dumps(word).encode().join(_DELTA) for word in words]
    return [b"data: %b\n\n" % event for event in (*written, *((_STOP, _SPENT, _DONE) if ended else ()))]
