from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rag_engine.errors import ConfigurationError
from rag_engine.llm.providers.anthropic_request import AnthropicQuirks
from rag_engine.llm.providers.cohere_request import CohereQuirks
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.google_quirks import GoogleQuirks
from rag_engine.llm.providers.ollama_quirks import OllamaQuirks
from rag_engine.llm.providers.openai_quirks import OpenAIQuirks
from rag_engine.llm.providers.provider_data import provider_data, provider_names
from rag_engine.llm.providers.quirk_reading import read_quirks
from rag_engine.llm.providers.registry import dialect
from rag_engine.types.generation import Prompt

KINDS: dict[str, type[Any]] = {
    "anthropic": AnthropicQuirks,
    "cohere": CohereQuirks,
    "google": GoogleQuirks,
    "ollama": OllamaQuirks,
    "openai": OpenAIQuirks,
}


@pytest.mark.parametrize("kind", KINDS.values())
def test_what_is_not_said_is_the_default(kind: type[Any]) -> None:
    assert read_quirks(kind, {}) == kind()


def test_what_is_said_is_read() -> None:
    assert read_quirks(AnthropicQuirks, {"cache_marks": 2}).cache_marks == 2
    assert read_quirks(OllamaQuirks, {"num_ctx": 8192}).num_ctx == 8192
    assert read_quirks(OpenAIQuirks, {"left_out": ["stop", "seed"]}).left_out == ("stop", "seed")


def test_a_table_is_read_once_and_no_other_is_taken_for_it() -> None:
    table: dict[str, Any] = {"num_ctx": 512}
    assert read_quirks(OllamaQuirks, table) is read_quirks(OllamaQuirks, table)
    # Tables that are thrown away leave their places in memory to others.
    assert [read_quirks(OllamaQuirks, {"num_ctx": size}).num_ctx for size in range(1, 2000)] == list(range(1, 2000))
    assert read_quirks(OllamaQuirks, table).num_ctx == 512


def test_a_table_that_two_dialects_read_is_read_by_each() -> None:
    table: dict[str, Any] = {"left_out": ["stop"]}
    assert read_quirks(OpenAIQuirks, table).left_out == ("stop",)
    with pytest.raises(ConfigurationError):
        read_quirks(OllamaQuirks, table)


@pytest.mark.parametrize(("name", "known"), [("smapling", "sampling"), ("limit_feild", "limit_field")])
def test_an_unknown_quirk_is_refused_with_those_that_there_are(name: str, known: str) -> None:
    kind = AnthropicQuirks if known == "sampling" else OpenAIQuirks
    with pytest.raises(ConfigurationError, match=f"no quirk is called '{name}'") as raised:
        read_quirks(kind, {name: False})
    assert known in raised.value.hint


@pytest.mark.parametrize(
    ("dialect_name", "name", "value"),
    [
        ("anthropic", "sampling", 0),
        ("anthropic", "cache_marks", True),
        ("anthropic", "cache_marks", "4"),
        ("google", "thinking", "much"),
        ("google", "thinking_budgets", {"low": -1}),
        ("google", "thinking_budgets", {"low": "1024"}),
        ("google", "thinking_budgets", [1024]),
        ("ollama", "think", "much"),
        ("ollama", "think", ["level"]),
        ("ollama", "num_ctx", 0),
        ("ollama", "num_ctx", True),
        ("openai", "limit_field", 3),
        ("openai", "stream_usage", "yes"),
        ("openai", "tool_id_length", -1),
        ("openai", "tool_id_length", True),
        ("openai", "left_out", "stop"),
        ("openai", "left_out", [1]),
        ("openai", "assistant_fields", ["prefix"]),
        ("openai", "finish_reasons", {"eos": "finished"}),
        ("openai", "finish_reasons", {"eos": ["stop"]}),
        ("openai", "finish_reasons", "stop"),
    ],
)
def test_a_quirk_of_the_wrong_kind_is_refused(dialect_name: str, name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"the quirk {name} must be"):
        read_quirks(KINDS[dialect_name], {name: value})


@pytest.mark.parametrize("provider", provider_names())
def test_every_row_of_the_data_holds_quirks_that_the_dialect_knows(provider: str) -> None:
    data = provider_data(provider)
    for row in data.rows:
        assert row.values
        assert read_quirks(KINDS[data.dialect], row.values) != KINDS[data.dialect]()


@pytest.mark.parametrize("name", KINDS)
def test_a_request_with_an_unknown_quirk_is_not_made(name: str) -> None:
    target = Target(name, "m")
    assert dialect(name).body(Prompt.plain("q"), target, stream=False)
    with pytest.raises(ConfigurationError, match="no quirk is called"):
        dialect(name).body(Prompt.plain("q"), replace(target, quirks={"thinkin": "level"}), stream=False)


@pytest.mark.parametrize(
    ("model", "api_version", "sampling", "effort"),
    [
        ("claude-opus-5", "2026-10-21", False, True),
        ("claude-opus-5", "2023-06-01", True, True),
        ("claude-opus-4-5-20251101", "2023-06-01", True, True),
        ("claude-sonnet-4-5-20250929", "2023-06-01", True, False),
        ("claude-opus-4-1-20250805", "2023-06-01", True, False),
        ("claude-3-5-haiku-20241022", "2026-10-21", False, False),
        ("claude-not-yet-known", "2026-10-21", False, True),
    ],
)
def test_versions_and_models_of_anthropic_differ_as_the_data_says(
    model: str, api_version: str, sampling: bool, effort: bool
) -> None:
    quirks = read_quirks(AnthropicQuirks, provider_data("anthropic").quirks(model, api_version))
    assert (quirks.sampling, quirks.effort) == (sampling, effort)


@pytest.mark.parametrize(
    ("model", "thinking"),
    [("command-a-reasoning-08-2025", True), ("command-r-plus-08-2024", False), ("command-a-03-2025", False)],
)
def test_models_of_cohere_differ_as_the_data_says(model: str, thinking: bool) -> None:
    assert read_quirks(CohereQuirks, provider_data("cohere").quirks(model, "")).thinking is thinking
