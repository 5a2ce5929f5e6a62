"""The data of the providers that speak OpenAI's form."""

from __future__ import annotations

import pytest

from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.openai_chat import OpenAIChat
from rag_engine.llm.providers.provider_data import provider_data, provider_names

SPEAKERS = [name for name in provider_names() if provider_data(name).dialect == "openai"]


def test_the_five_families_of_speakers_are_there() -> None:
    assert {"openai", "azure", "mistral", "meta", "local", "llama_cpp", "vllm"} <= set(SPEAKERS)


def path(model: str, api_version: str) -> str:
    return OpenAIChat().path(
        Target("azure", model, api_version, provider_data("azure").quirks(model, api_version)), stream=False
    )


def test_azures_path_follows_the_version() -> None:
    assert path("gpt-4o", "v1") == "/openai/v1/chat/completions"
    dated = "/openai/deployments/my%20model%2F1/chat/completions?api-version=2024-10-21"
    assert path("my model/1", "2024-10-21") == dated


def test_azure_takes_its_key_in_a_header_of_its_own_and_has_no_address_for_all() -> None:
    data = provider_data("azure")
    assert (data.key_header, data.base_url) == ("api-key", "")


@pytest.mark.parametrize("name", ["local", "llama_cpp", "vllm"])
def test_servers_of_ones_own_need_no_key(name: str) -> None:
    assert not provider_data(name).needs_key
