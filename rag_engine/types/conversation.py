"""What is said between a user, a model and its tools, in no provider's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rag_engine.types.document import JsonValue


class Role(StrEnum):
    """Who speaks. Instructions are no turn: they stand in ``Prompt.instructions``."""

    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model asks for a tool. ``arguments`` is the JSON text of an object, checked to be one before it is handed out.

    ``signature`` is what some providers want back with the call, unread by anyone else.
    """

    id: str
    name: str
    arguments: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. A tool's turn names the call it answers (``tool_call_id``, ``tool_name``).

    ``cache`` says that other prompts begin with everything up to here: marked for the provider's cache, where marks
    are what it wants.
    """

    role: Role
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    tool_name: str = ""
    cache: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model may ask for; ``parameters`` is the JSON Schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, JsonValue]
    strict: bool = False


class ToolChoice(StrEnum):
    """Whether a model may, must or must not ask for a tool; a tool's name in its place asks for that one."""

    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class ResponseSchema:
    """The JSON Schema that an answer must satisfy."""

    name: str
    schema: Mapping[str, JsonValue]
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a model writes; what is None is left to the provider, what a model does not take is left out by its quirks.

    ``max_output_tokens`` bounds the answer, reasoning included. ``temperature`` is in [0, 2], ``top_p`` in (0, 1].
    ``reasoning_effort`` is the provider's own word for it.
    """

    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    reasoning_effort: str | None = None
