"""What is asked of every provider on every server, and the words in which it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from benchmarks.conformance.outcome import Outcome
from rag_engine.types.conversation import Message, ResponseSchema, Role, Tool, ToolCall
from rag_engine.types.generation import Prompt


class Feature(StrEnum):
    """The rows of the table; the values are their titles."""

    PLAIN = "plain"
    STREAM = "stream"
    SYSTEM = "system prompt"
    CONVERSATION = "conversation"
    TOOLS = "tools"
    TOOLS_STREAMED = "tools, streamed"
    TOOL_RESULT = "tool result"
    JSON_SCHEMA = "JSON schema"
    USAGE = "usage"
    USAGE_STREAMED = "usage, streamed"
    LENGTH = "cut at the limit"
    WRONG_KEY = "wrong key (401)"
    RATE_LIMIT = "rate limit (429)"
    SERVER_ERROR = "server error (500)"
    UNKNOWN_MODEL = "unknown model"
    CONTEXT_WINDOW = "over the window"
    RETRIED = "fault, then answer"
    MALFORMED = "malformed JSON"
    DISCONNECTED = "connection dropped"
    CUT_STREAM = "stream cut midway"
    DOCUMENTS = "documents, citations"


@dataclass(frozen=True)
class Exchange:
    """One call and who says what is wrong with what came of it (nothing: empty). ``model`` and ``key`` where they are
    others than the surface's; ``attempts`` is how often the call may be made."""

    prompt: Prompt
    judge: Callable[[Outcome], str]
    streamed: bool = False
    model: str = ""
    key: str = ""
    attempts: int = 1


@dataclass(frozen=True)
class NotOffered:
    """The server does not do this; why, or what it does instead."""

    why: str


Asked: TypeAlias = Exchange | NotOffered


@dataclass(frozen=True)
class Surface:
    """One provider's interface, as one server fakes it. What ``asked`` does not name is not offered."""

    title: str
    provider: str
    model: str
    base_url: str
    asked: Mapping[Feature, Asked]
    key: str = "conformance-key"
    api_version: str | None = None


# A character outside the basic plane: servers that cut text by halves of characters send it in two.
ANSWER = "Réunion: 36 nights, then the rocket 🚀🚀🚀 returns; nothing else was promised."
INSTRUCTIONS = "You answer for the harbour office of Saint-Denis."
TOOL = Tool(
    name="weather_at",
    description="The weather at a place.",
    parameters={
        "type": "object",
        "properties": {"place": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["place", "days"],
        "additionalProperties": False,
    },
)
ARGUMENTS: Mapping[str, object] = {"place": 'Nuuk, "north"', "days": 3}
RESULT = '{"sky": "eighteen clouds"}'
SCHEMA = ResponseSchema(
    name="ship",
    schema={
        "type": "object",
        "properties": {"name": {"type": "string"}, "masts": {"type": "integer"}},
        "required": ["name", "masts"],
        "additionalProperties": False,
    },
)
SCHEMA_ANSWER: Mapping[str, object] = {"name": "Préussen", "masts": 5}
INPUT_TOKENS, OUTPUT_TOKENS = 321, 45
CALL_ID = "callA1b2C"

_QUESTION: Mapping[Feature, str] = {
    Feature.PLAIN: "How long do guests stay?",
    Feature.STREAM: "Tell at length how long guests stay.",
    Feature.SYSTEM: "Whom do you answer for?",
    Feature.CONVERSATION: "And after the second year?",
    Feature.TOOLS: "How is the weather in Nuuk?",
    Feature.TOOLS_STREAMED: "How will the weather in Nuuk be?",
    Feature.TOOL_RESULT: "How was the weather in Nuuk?",
    Feature.JSON_SCHEMA: "Which ship had most masts?",
    Feature.USAGE: "What does an answer cost?",
    Feature.USAGE_STREAMED: "What does a long answer cost?",
    Feature.LENGTH: "Write until you are stopped.",
    Feature.WRONG_KEY: "Who am I?",
    Feature.RATE_LIMIT: "Am I too fast?",
    Feature.SERVER_ERROR: "Is anything broken?",
    Feature.UNKNOWN_MODEL: "Who are you?",
    Feature.CONTEXT_WINDOW: "How much can you read?",
    Feature.RETRIED: "Do you fail once?",
    Feature.MALFORMED: "Do you speak JSON?",
    Feature.DISCONNECTED: "Do you hang up?",
    Feature.CUT_STREAM: "Do you end your sentences?",
}


def question(feature: Feature) -> str:
    """The words that stand for the feature, and for it alone."""
    return _QUESTION[feature]


def prompt_for(feature: Feature) -> Prompt:
    """The prompt that asks for a feature."""
    prompt = Prompt.plain(question(feature))
    if feature is Feature.SYSTEM:
        return replace(prompt, instructions=INSTRUCTIONS)
    if feature is Feature.CONVERSATION:
        before = (
            Message(role=Role.USER, text="How long is a stay in the first year?"),
            Message(role=Role.ASSISTANT, text="Twelve nights."),
        )
        return replace(prompt, conversation=before)
    if feature in (Feature.TOOLS, Feature.TOOLS_STREAMED):
        return replace(prompt, tools=(TOOL,))
    if feature is Feature.TOOL_RESULT:
        call = ToolCall(id=CALL_ID, name=TOOL.name, arguments=json.dumps(ARGUMENTS))
        turns = (
            Message(role=Role.USER, text=prompt.content),
            Message(role=Role.ASSISTANT, tool_calls=(call,)),
            Message(role=Role.TOOL, text=RESULT, tool_call_id=CALL_ID, tool_name=TOOL.name),
        )
        return replace(prompt, content="", conversation=turns, tools=(TOOL,))
    if feature is Feature.JSON_SCHEMA:
        return replace(prompt, schema=SCHEMA)
    return prompt
