"""The data of the providers that speak OpenAI's form."""

from __future__ import annotations

import pytest

from rag_engine.errors import ConfigurationError
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.openai_chat import OpenAIChat
from rag_engine.llm.providers.openai_quirks import OpenAIQuirks, openai_quirks
from rag_engine.llm.providers.provider_data import provider_data, provider_names

SPEAKERS = [name for name in provider_names() if provider_data(name).dialect == "openai"]


def test_the_five_families_of_speakers_are_there() -> None:
    assert {"openai", "azure", "mistral", "meta", "local", "llama_cpp", "vllm"} <= set(SPEAKERS)


@pytest.mark.parametrize("name", SPEAKERS)
def test_every_row_of_a_speakers_data_can_be_read(name: str) -> None:
    for row in provider_data(name).rows:
        assert isinstance(openai_quirks(row.values), OpenAIQuirks)


def test_an_unknown_quirk_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(ConfigurationError, match="no quirk is called 'limit_feild'") as caught:
        openai_quirks({"limit_feild": "max_tokens"})
    assert "limit_field" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit_field", 3),
        ("stream_usage", "yes"),
        ("tool_id_length", -1),
        ("tool_id_length", True),
        ("left_out", "stop"),
        ("left_out", [1]),
        ("assistant_fields", ["prefix"]),
        ("finish_reasons", {"eos": "finished"}),
        ("finish_reasons", {"eos": ["stop"]}),
        ("finish_reasons", "stop"),
    ],
)
def test_a_quirk_of_the_wrong_kind_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"the quirk {name} must be"):
        openai_quirks({name: value})  # type: ignore[dict-item]


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
