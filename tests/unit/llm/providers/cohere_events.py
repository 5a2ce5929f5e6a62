"""Events of Cohere's streams, to be put together by hand."""

from __future__ import annotations

import json
from typing import Any

from rag_engine.llm.providers.cohere_chat import CohereChat
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.generation import Prompt

DIALECT = CohereChat()
PROMPT = Prompt.plain("Why?")
TARGET = Target("cohere", "command-a-03-2025")


def event(body: dict[str, Any]) -> ServerEvent:
    """An event as it is written."""
    return ServerEvent(str(body["type"]), json.dumps(body))


def part(kind: str, index: int | None = None, **message: Any) -> ServerEvent:
    """An event about the message."""
    body: dict[str, Any] = {"type": kind, "delta": {"message": message}}
    return event(body if index is None else body | {"index": index})


def growth(text: str, index: int = 0) -> ServerEvent:
    """A piece of text."""
    return part("content-delta", index, content={"text": text})


def begin(index: int = 0, kind: str = "text", text: str = "") -> ServerEvent:
    """A block of content begins."""
    return part("content-start", index, content={"type": kind, kind: text})


def stop(index: int = 0, what: str = "content-end") -> ServerEvent:
    """A part of the message ends."""
    return event({"type": what, "index": index})


def end(reason: object = "COMPLETE", usage: object = None, **more: Any) -> ServerEvent:
    """The message ends."""
    usage = usage or {"tokens": {"input_tokens": 5, "output_tokens": 9}}
    return event({"type": "message-end", "delta": {"finish_reason": reason, "usage": usage, **more}})


def call(index: int = 0, arguments: str = "") -> ServerEvent:
    """A call of a tool begins."""
    wire = {"id": f"look_{index}", "type": "function", "function": {"name": "look", "arguments": arguments}}
    return part("tool-call-start", index, tool_calls=wire)


def call_piece(text: str, index: int = 0) -> ServerEvent:
    """A piece of a call's arguments."""
    return part("tool-call-delta", index, tool_calls={"function": {"arguments": text}})


START = part("message-start", content=[])
OPENING = [START, begin()]
CLOSING = [stop(), end()]
ERROR = ServerEvent("error", '{"message": "Overloaded"}')
