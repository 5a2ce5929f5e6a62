"""What is asked of models that differ; that the rest equals the clients' requests is shown in tests/conformance."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import UnsupportedParameterError
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.openai_chat import OpenAIChat
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.types.conversation import Message, ResponseSchema, Role, Sampling, Tool, ToolCall, ToolChoice
from rag_engine.types.generation import Prompt

TOOL = Tool("find", "Finds.", {"type": "object"})
SAMPLED = replace(
    Prompt.plain("q"),
    sampling=Sampling(max_output_tokens=50, temperature=0.5, top_p=0.9, seed=3, stop=("x",), reasoning_effort="low"),
)


def body(provider: str, model: str, prompt: Prompt, *, version: str = "", stream: bool = False) -> dict[str, Any]:
    target = Target(provider, model, version, provider_data(provider).quirks(model, version))
    return OpenAIChat().body(prompt, target, stream=stream)


def sampling(provider: str, model: str, prompt: Prompt = SAMPLED, version: str = "") -> dict[str, Any]:
    sent = body(provider, model, prompt, version=version)
    return {name: value for name, value in sent.items() if name not in ("model", "messages", "tools", "stream")}


def test_a_model_that_reasons_is_not_sent_what_it_refuses() -> None:
    assert sampling("openai", "o3-mini") == {"max_completion_tokens": 50, "seed": 3, "reasoning_effort": "low"}
    assert sampling("openai", "gpt-5-mini") == sampling("openai", "gpt-5.2") == sampling("openai", "o3-mini")


def test_a_model_that_does_not_reason_is_not_told_how_much() -> None:
    expected = {"max_completion_tokens": 50, "temperature": 0.5, "top_p": 0.9, "seed": 3, "stop": ["x"]}
    for model in ("gpt-4.1", "gpt-4o-2024-08-06", "gpt-5-chat-latest", "gpt-3.5-turbo"):
        assert sampling("openai", model) == expected


def test_a_model_that_is_told_not_to_reason_takes_the_rest() -> None:
    prompt = replace(SAMPLED, sampling=replace(SAMPLED.sampling, reasoning_effort="none"))
    assert sampling("openai", "gpt-5.2", prompt)["temperature"] == 0.5
    assert "temperature" not in sampling("openai", "gpt-5", prompt)


def test_a_model_that_calls_tools_only_without_reasoning_is_told_so_beside_tools() -> None:
    prompt = replace(SAMPLED, tools=(TOOL,))
    assert sampling("openai", "gpt-5.6-luna", prompt)["reasoning_effort"] == "none"
    assert sampling("openai", "gpt-5.6-luna")["reasoning_effort"] == "low"
    assert sampling("openai", "gpt-5.2", prompt)["reasoning_effort"] == "low"


def test_meta_cannot_be_told_not_to_reason_nor_where_to_stop() -> None:
    prompt = replace(SAMPLED, sampling=replace(SAMPLED.sampling, reasoning_effort="none"))
    assert sampling("meta", "muse-spark-1.1", prompt) == {
        "max_completion_tokens": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 3,
    }


def test_an_old_version_of_azure_is_asked_in_its_words() -> None:
    assert "max_tokens" in sampling("azure", "gpt-4", version="2024-06-01")
    assert "max_completion_tokens" in sampling("azure", "gpt-4", version="2024-10-21")
    assert "stream_options" not in body("azure", "gpt-4", SAMPLED, version="2024-06-01", stream=True)
    assert "stream_options" in body("azure", "gpt-4", SAMPLED, version="v1", stream=True)


def test_a_version_without_schemas_says_so_before_anything_is_sent() -> None:
    prompt = replace(Prompt.plain("q"), schema=ResponseSchema("s", {"type": "object"}))
    with pytest.raises(UnsupportedParameterError, match="azure/gpt-4 takes no JSON schema"):
        body("azure", "gpt-4", prompt, version="2024-06-01")
    assert "response_format" in body("azure", "gpt-4", prompt, version="2024-08-01-preview")


def test_a_choice_of_tools_that_a_provider_has_not_is_refused_and_none_is_asked_without_tools() -> None:
    prompt = replace(Prompt.plain("q"), tools=(TOOL,), tool_choice=ToolChoice.REQUIRED)
    with pytest.raises(UnsupportedParameterError, match="choice of tool"):
        body("meta", "muse-spark-1.1", prompt)
    with pytest.raises(UnsupportedParameterError, match="choice of tool 'find'") as caught:
        body("llama_cpp", "any", replace(prompt, tool_choice="find"))
    assert "required" in caught.value.hint
    assert "tools" not in body("meta", "muse-spark-1.1", replace(prompt, tool_choice=ToolChoice.NONE))


def test_mistral_is_asked_for_no_turn_that_it_refuses() -> None:
    ends = replace(Prompt.plain(""), conversation=(Message(Role.USER, "q"), Message(Role.ASSISTANT, "The answer")))
    with pytest.raises(UnsupportedParameterError, match="ends with the assistant's turn"):
        body("mistral", "m", ends)
    assert body("openai", "gpt-4.1", ends)["messages"][-1]["role"] == "assistant"
    called = (
        Message(Role.USER, "q"),
        Message(Role.ASSISTANT, tool_calls=(ToolCall("abcdefgh1", "find", "{}"),)),
        Message(Role.TOOL, "found", tool_call_id="abcdefgh1"),
    )
    with pytest.raises(UnsupportedParameterError, match="right after a tool's"):
        body("mistral", "m", replace(Prompt.plain("and now?"), conversation=called))
    assert body("mistral", "m", replace(Prompt.plain(""), conversation=called))["messages"][-1]["role"] == "tool"


@given(st.text(), st.text())
def test_ids_of_tools_from_other_providers_become_such_as_mistral_takes(one: str, other: str) -> None:
    turns = (
        Message(Role.USER, "q"),
        Message(Role.ASSISTANT, tool_calls=(ToolCall(one, "find", "{}"), ToolCall(other, "find", "{}"))),
        Message(Role.TOOL, "1", tool_call_id=one),
        Message(Role.TOOL, "2", tool_call_id=other),
    )
    messages = body("mistral", "m", replace(Prompt.plain(""), conversation=turns))["messages"]
    ids = [call["id"] for call in messages[1]["tool_calls"]]
    assert [message["tool_call_id"] for message in messages[2:]] == ids
    assert all(len(given) == 9 and given.isascii() and given.isalnum() for given in ids)
    assert (ids[0] == ids[1]) == (one == other)


def test_only_so_many_marks_for_the_cache_are_set_as_are_taken_and_the_longest_beginnings_are_kept() -> None:
    turns = tuple(Message(Role.USER, str(number), cache=True) for number in range(6))
    prompt = replace(Prompt.plain("q", instructions="i"), cache=True, conversation=turns)
    messages = body("openai", "gpt-5.6", prompt)["messages"]
    marked = [message["content"][0]["text"] for message in messages if isinstance(message["content"], list)]
    assert marked == ["2", "3", "4", "5"]
    assert not any(isinstance(one["content"], list) for one in body("openai", "gpt-5.2", prompt)["messages"])


def test_the_key_for_the_cache_is_that_of_the_beginning_alone() -> None:
    first = replace(Prompt.plain("one", instructions="i"), cache=True, tools=(TOOL,))
    key = body("openai", "gpt-4.1", first)["prompt_cache_key"]
    assert body("openai", "gpt-4.1", replace(first, content="two"))["prompt_cache_key"] == key
    assert body("openai", "gpt-4.1", replace(first, instructions="j"))["prompt_cache_key"] != key
    assert "prompt_cache_key" not in body("openai", "gpt-4.1", replace(first, cache=False))
    assert "prompt_cache_key" not in body("vllm", "any", first)


@given(st.text(), st.text(), st.sampled_from(["openai", "azure", "mistral", "meta", "local", "llama_cpp", "vllm"]))
def test_any_text_can_be_sent_and_nothing_of_it_is_changed(content: str, instructions: str, provider: str) -> None:
    sent = json.loads(json.dumps(body(provider, "m", Prompt.plain(content, instructions=instructions))))
    expected = [instructions, content] if instructions else [content]
    assert [message["content"] for message in sent["messages"]] == expected


def test_a_turn_that_only_calls_tools_has_an_empty_text_where_a_server_may_refuse_null() -> None:
    turns = (
        Message(Role.USER, "q"),
        Message(Role.ASSISTANT, tool_calls=(ToolCall("abcdefgh1", "find", "{}"),)),
        Message(Role.TOOL, "found", tool_call_id="abcdefgh1", tool_name="find"),
    )
    prompt = replace(Prompt.plain(""), conversation=turns, tools=(TOOL,))

    for provider, content in (("openai", None), ("vllm", None), ("local", ""), ("llama_cpp", "")):
        assert body(provider, "m", prompt)["messages"][1]["content"] == content
