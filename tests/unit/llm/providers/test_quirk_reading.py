from __future__ import annotations

import pytest

from rag_engine.errors import ConfigurationError
from rag_engine.llm.providers.anthropic_request import AnthropicQuirks
from rag_engine.llm.providers.cohere_request import CohereQuirks
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.llm.providers.quirk_reading import read_quirks


def test_what_is_not_said_is_the_default() -> None:
    assert read_quirks(AnthropicQuirks, {}) == AnthropicQuirks()
    assert read_quirks(AnthropicQuirks, {"cache_marks": 2}).cache_marks == 2


def test_an_unknown_quirk_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_quirks(AnthropicQuirks, {"smapling": False})
    assert "smapling" in raised.value.message
    assert "sampling" in raised.value.hint


@pytest.mark.parametrize(("key", "value"), [("sampling", 0), ("cache_marks", True), ("cache_marks", "4")])
def test_a_quirk_of_another_type_is_refused(key: str, value: int | str) -> None:
    with pytest.raises(ConfigurationError):
        read_quirks(AnthropicQuirks, {key: value})


@pytest.mark.parametrize(("provider", "kind"), [("anthropic", AnthropicQuirks), ("cohere", CohereQuirks)])
def test_every_row_of_the_data_holds_quirks_that_the_dialect_knows(provider: str, kind: type) -> None:
    data = provider_data(provider)
    assert data.dialect == provider
    for row in data.rows:
        read_quirks(kind, row.values)


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
