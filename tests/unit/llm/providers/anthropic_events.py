"""Events of Anthropic's streams, to be put together by hand."""

from __future__ import annotations

import json
from typing import Any

from rag_engine.llm.providers.anthropic_messages import AnthropicMessages
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.generation import Prompt

DIALECT = AnthropicMessages()
PROMPT = Prompt.plain("Why?")
TARGET = Target("anthropic", "claude-opus-5")


def event(body: dict[str, Any]) -> ServerEvent:
    """An event as it is written."""
    return ServerEvent(str(body["type"]), json.dumps(body))


def growth(text: str, index: int = 0) -> ServerEvent:
    """A piece of text."""
    return event({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}})


def begin(block: dict[str, Any], index: int = 0) -> ServerEvent:
    """A block of content begins."""
    return event({"type": "content_block_start", "index": index, "content_block": block})


def stop(index: int = 0) -> ServerEvent:
    """A part of the message ends."""
    return event({"type": "content_block_stop", "index": index})


def end(reason: str | None = "end_turn", usage: object = None) -> list[ServerEvent]:
    """The message ends."""
    delta = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage or {"output_tokens": 9}}
    return [event(delta), event({"type": "message_stop"})]


TEXT = {"type": "text", "text": ""}
START = event({"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1}}})
OPENING = [START, begin(TEXT)]
CLOSING = [stop(), *end()]
ERROR = event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}


def input_piece(text: str, index: int = 0) -> ServerEvent:
    """A piece of a call's arguments."""
    delta = {"type": "input_json_delta", "partial_json": text}
    return event({"type": "content_block_delta", "index": index, "delta": delta})
