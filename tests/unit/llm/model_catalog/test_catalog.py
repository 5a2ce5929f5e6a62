"""Models by name: the package's own, versions of them, unknown ones, and which are fit for what."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from rag_engine.errors import ConfigurationError
from rag_engine.llm.model_catalog import ModelCatalog
from rag_engine.token_counter import check_tokenizer
from rag_engine.token_counter.framing import framing_of
from rag_engine.types.models import Ability, ModelTask

CATALOG = ModelCatalog()
PROVIDERS = {
    "openai", "azure", "anthropic", "google", "mistral", "cohere", "meta", "ollama", "local", "extractive", "scripted",
}  # fmt: skip


def test_every_provider_has_models() -> None:
    assert {profile.provider for profile in CATALOG} == PROVIDERS


@pytest.mark.parametrize("profile", list(CATALOG), ids=lambda profile: profile.full_name)
def test_a_packaged_model_is_whole(profile) -> None:
    assert profile.known
    assert CATALOG.find(profile.full_name) is profile
    assert 0 < profile.max_output <= profile.window
    assert Ability.STREAMING in profile.abilities
    assert all(0 <= value <= 1 for value in profile.fitness.values())
    assert profile.provider == "scripted" or profile.fitness
    check_tokenizer(profile.tokenizer)
    assert framing_of(profile.provider).source
    if profile.price is not None:
        assert date(2024, 1, 1) <= profile.price.as_of <= date(2026, 11, 24)
        assert profile.price.input <= profile.price.output
        assert profile.price.cache_read is None or profile.price.cache_read <= profile.price.input


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("openai/gpt-5.2-2025-12-11", "openai/gpt-5.2"),
        ("openai/gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini"),
        ("anthropic/claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5"),
        ("anthropic/claude-haiku-4-5@20251001", "anthropic/claude-haiku-4-5"),
        ("anthropic/claude-sonnet-4-6-latest", "anthropic/claude-sonnet-4-6"),
        ("google/gemini-2.5-flash-preview-05-20", "google/gemini-2.5-flash"),
        ("google/gemini-2.5-pro-001", "google/gemini-2.5-pro"),
        ("ollama/llama3.1:latest", "ollama/llama3.1"),
        ("ollama/llama3.1:8b-instruct-q4_K_M", "ollama/llama3.1"),
        ("mistral/mistral-large-3", "mistral/mistral-large-2512"),
    ],
)
def test_a_version_of_a_known_model_has_its_facts(name: str, like: str) -> None:
    found, known = CATALOG.find(name), CATALOG.find(like)
    assert found.known
    assert (found.window, found.price, found.tokenizer, found.fitness, found.provider) == (
        known.window, known.price, known.tokenizer, known.fitness, known.provider,
    )  # fmt: skip


def test_a_version_keeps_its_own_name_as_it_is_what_was_asked_for() -> None:
    assert CATALOG.find("openai/gpt-5.2-2025-12-11").full_name == "openai/gpt-5.2-2025-12-11"


@pytest.mark.parametrize(
    "name", ["openai/gpt-99", "openai/gpt", "local/meta-llama/Llama-3.1-8B", "azure/my-deployment", "nobody/model:tag"]
)
def test_an_unknown_model_has_honest_defaults(name: str) -> None:
    found = CATALOG.find(name)
    assert found.full_name == name
    assert not found.known
    assert (found.window, found.max_output, found.tokenizer) == (8192, 2048, "estimate")
    assert found.price is None
    assert found.abilities == {Ability.STREAMING}
    assert not found.fitness


def test_a_name_needs_no_provider_where_only_one_has_it() -> None:
    assert CATALOG.find("extractive").full_name == "extractive/extractive"
    assert CATALOG.find("claude-opus-5-5").provider == "anthropic"
    assert CATALOG.find("OpenAI/GPT-5.2") is CATALOG.find("openai/gpt-5.2")


def test_a_name_of_several_providers_or_of_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="several providers") as caught:
        CATALOG.find("gpt-5.2")
    assert "azure/gpt-5.2 or openai/gpt-5.2" in str(caught.value.hint)
    for name in ("", "nothing", "/gpt-5", "openai/"):
        with pytest.raises(ConfigurationError, match="no name of a known model"):
            CATALOG.find(name)


@pytest.mark.parametrize("task", ModelTask)
def test_models_for_a_task_come_fittest_first_and_of_equals_the_cheaper(task: ModelTask) -> None:
    found = CATALOG.best_for(task)
    assert found
    keys = [
        (-one.fitness[task], float("inf") if one.price is None else 10 * one.price.input + one.price.output)
        for one in found
    ]
    assert keys == sorted(keys)
    assert {one.provider for one in CATALOG.best_for(task, providers={"google", "cohere"})} == {"google", "cohere"}


def test_deployments_are_like_the_models_behind_them() -> None:
    for profile in CATALOG:
        if profile.provider == "azure":
            assert profile.price == CATALOG.find(f"openai/{profile.name}").price


def test_no_file_says_twice_what_a_model_is() -> None:
    folder = Path(__file__).resolve().parents[4] / "rag_engine" / "llm" / "model_catalog" / "data"
    names = [
        name for file in folder.glob("*.toml") for name in re.findall(r'^\[models\."(.+)"\]', file.read_text(), re.M)
    ]
    assert len(names) == len(set(names)) == len(list(CATALOG))
    for file in folder.glob("*.toml"):
        assert all(
            name.startswith(f"{file.stem}/") for name in re.findall(r'^\[models\."(.+)"\]', file.read_text(), re.M)
        )
