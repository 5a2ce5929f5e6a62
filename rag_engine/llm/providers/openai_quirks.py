"""How the providers that speak OpenAI's form differ, as their data says it; an unknown word in the data is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag_engine.llm.providers.quirk_reading import read_by, words_for
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
    are taken. Without ``null_content`` a turn that only calls tools has an empty text, as some servers refuse null.
    ``speaks_after_end`` says that a verdict may follow the finish and the usage.
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
    null_content: bool = True
    cache_key: bool = False
    cache_breakpoints: int = 0
    reasoning_fields: tuple[str, ...] = ()
    timings: bool = False
    finish_reasons: Mapping[str, str] = field(default_factory=dict, metadata=read_by(words_for(*MEANINGS)))
    speaks_after_end: bool = False
