"""Pieces of streams of OpenAI's form, to be put together by hand."""

from __future__ import annotations

import json
from typing import Any

from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.openai_chat import OpenAIChat
from rag_engine.llm.providers.openai_stream import OpenAIChatAssembler
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.generation import Completion, Prompt, TextDelta

DONE = "[DONE]"


def assembler(provider: str = "openai", prompt: Prompt | None = None) -> OpenAIChatAssembler:
    """For one stream of a provider's."""
    version = provider_data(provider).api_version
    target = Target(provider, "m", version, provider_data(provider).quirks("m", version))
    return OpenAIChat().assembler(prompt or Prompt.plain("q"), target)


def chunk(delta: object = None, finish: object = None, **more: object) -> dict[str, Any]:
    """A piece with one choice."""
    return {"id": "1", "model": "m-1", "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}], **more}


def text(piece: str) -> dict[str, Any]:
    """A piece of text."""
    return chunk({"content": piece})


STOP = chunk(finish="stop")
USAGE = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}


def read(*events: object, provider: str = "openai", prompt: Prompt | None = None) -> Completion:
    """The completion of a stream of chunks; a text is sent as it is."""
    stream, said = assembler(provider, prompt), ""
    for event in events:
        if stream.ended:
            break
        data = event if isinstance(event, str) else json.dumps(event)
        said += "".join(delta.text for delta in stream.feed(ServerEvent("", data)) if isinstance(delta, TextDelta))
    completion = stream.completion()
    assert completion.text == said
    return completion


def call(index: object = 0, given: object = None, name: object = None, arguments: object = None) -> dict[str, Any]:
    """A fragment of a call of a tool."""
    made: dict[str, Any] = {"function": {"name": name, "arguments": arguments}}
    if index is not None:
        made["index"] = index
    if given is not None:
        made["id"] = given
    return chunk({"tool_calls": [made]})
