"""How the providers that speak OpenAI's form differ, as their data says it; an unknown word in the data is an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from rag_engine.errors import ConfigurationError
from rag_engine.types.document import JsonValue

FILTERED = "content_filter"
FAILED = "error"
# What the reason for an answer's end can be; a provider's own words stand for one of these.
MEANINGS = frozenset({"stop", "length", "tool_calls", FILTERED, FAILED})


@dataclass(frozen=True, slots=True)
class OpenAIQuirks:
    """How one model of one provider in one version differs from OpenAI's chat completions as they are written down.

    ``path`` may hold ``{model}`` and ``{api_version}``. ``left_out`` are fields that the model refuses, sent all the
    same where the reasoning effort is ``effort_that_allows``; ``efforts_left_out`` are efforts that it refuses, and
    ``effort_with_tools`` is the only one that it takes beside tools. A ``seed_field`` or ``schema_form`` that is empty
    says that there is none. ``finish_reasons`` gives words of its own the meaning of those of OpenAI. ``last_turns``
    are the roles that a conversation may end with, all where empty. ``cache_breakpoints`` is the number of marks that
    are taken. ``speaks_after_end`` says that a verdict may follow the finish and the usage.
    """

    path: str = "/chat/completions"
    instructions_role: str = "system"
    limit_field: str = "max_completion_tokens"
    seed_field: str = "seed"
    left_out: tuple[str, ...] = ()
    effort_that_allows: str = ""
    efforts_left_out: tuple[str, ...] = ()
    effort_with_tools: str = ""
    schema_form: str = "json_schema"
    tool_choices: tuple[str, ...] = ("auto", "none", "required", "named")
    required_word: str = "required"
    stream_usage: bool = True
    always_says_stream: bool = False
    tool_names: bool = False
    tool_id_length: int = 0
    numbered_tool_calls: bool = False
    assistant_fields: Mapping[str, JsonValue] = field(default_factory=dict)
    last_turns: tuple[str, ...] = ()
    user_after_tool: bool = True
    cache_key: bool = False
    cache_breakpoints: int = 0
    reasoning_fields: tuple[str, ...] = ()
    timings: bool = False
    finish_reasons: Mapping[str, str] = field(default_factory=dict)
    speaks_after_end: bool = False


def openai_quirks(values: Mapping[str, JsonValue]) -> OpenAIQuirks:
    """The quirks that ``values`` says.

    Raises:
        ConfigurationError: one is unknown, or of another kind than it should be.
    """
    if not values:
        return _USUAL
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in _READERS:
            raise ConfigurationError(f"no quirk is called {name!r}", hint=f"known are: {', '.join(sorted(_READERS))}")
        try:
            read[name] = _READERS[name](value)
        except ValueError as error:
            raise ConfigurationError(f"the quirk {name} must be {error}") from None
    return OpenAIQuirks(**read)


def _text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("a text")


def _yes_or_no(value: JsonValue) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("true or false")


def _number(value: JsonValue) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("a number from 0 on")


def _texts(value: JsonValue) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(entry) for entry in value)
    raise ValueError("a list of texts")


def _table(value: JsonValue) -> dict[str, JsonValue]:
    if isinstance(value, dict):
        return value
    raise ValueError("a table")


def _meanings(value: JsonValue) -> dict[str, str]:
    if isinstance(value, dict) and all(meant in tuple(MEANINGS) for meant in value.values()):
        return {word: str(meant) for word, meant in value.items()}
    raise ValueError(f"a table with values among: {', '.join(sorted(MEANINGS))}")


_BY_KIND: dict[type, Callable[[JsonValue], object]] = {
    str: _text,
    bool: _yes_or_no,
    int: _number,
    tuple: _texts,
    dict: _table,
}
# Each is read as what its default is.
_READERS: dict[str, Callable[[JsonValue], object]] = {
    **{entry.name: _BY_KIND[type({} if entry.default is MISSING else entry.default)] for entry in fields(OpenAIQuirks)},
    "finish_reasons": _meanings,
}
_USUAL = OpenAIQuirks()
