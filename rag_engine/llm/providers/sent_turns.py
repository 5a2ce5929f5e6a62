"""What of a prompt's turns and documents is sent, in whatever form a provider then wants it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from rag_engine.llm.providers.dialect import JsonObject, Target
from rag_engine.llm.providers.unsendable import asks_nothing, invalid
from rag_engine.types.conversation import Message, Role, Tool, ToolCall
from rag_engine.types.generation import NumberedSource, Prompt


def sent_documents(prompt: Prompt) -> tuple[NumberedSource, ...]:
    """The sources that go as documents, in order. Blank ones are refused, so none goes."""
    if not prompt.documents:
        return ()
    return tuple(source for source in prompt.sources if source.passage.text.strip())


def sent_turns(prompt: Prompt, documents: Sequence[NumberedSource], target: Target) -> list[Message]:
    """The conversation and what is asked, which beside ``documents`` is the question alone. Blank turns are refused, so
    none goes; a tool may well answer with nothing.

    Raises:
        InvalidRequestError: nothing is left to be asked.
    """
    turns = [turn for turn in prompt.conversation if turn.role is Role.TOOL or turn.tool_calls or turn.text.strip()]
    asked = prompt.question if documents and (prompt.content or not turns) else prompt.content
    if asked.strip():
        turns.append(Message(Role.USER, asked))
    if not turns:
        raise asks_nothing(target)
    return turns


def tool_of(turn: Message, names: Mapping[str, str], target: Target) -> str:
    """The name of the tool whose turn it is; ``names`` are those of the calls before it, by their ids.

    Raises:
        InvalidRequestError: nothing says which.
    """
    name = turn.tool_name or names.get(turn.tool_call_id, "")
    if not name:
        raise invalid(
            target,
            "a tool's turn names neither its tool nor a call before it",
            "give the turn tool_name, or the tool_call_id of the call that it answers",
        )
    return name


def carried(call: ToolCall) -> JsonObject:
    """What the call's signature holds of what led to it; nothing where another provider wrote it."""
    try:
        value = json.loads(call.signature) if call.signature else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def described_tool(tool: Tool) -> JsonObject:
    """A tool as most providers want it described."""
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
    }
