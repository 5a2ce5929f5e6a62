"""Whole answers of OpenAI's form that are not as they should be: a typed error, or the right answer."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import (
    BadResponseError,
    IncompleteResponseError,
    LanguageModelError,
    OutputFilteredError,
    PromptBlockedError,
)
from rag_engine.llm.providers.dialect import Framing, ReportedFault, Target
from rag_engine.llm.providers.openai_chat import OpenAIChat
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.conversation import Sampling
from rag_engine.types.generation import Completion, FinishReason, Prompt, UsageSource


def read(body: Any, *, provider: str = "openai", prompt: Prompt | None = None) -> Completion:
    target = Target(provider, "m", "", provider_data(provider).quirks("m", ""))
    return OpenAIChat().completion(body, prompt or Prompt.plain("q"), target)


def answer(message: object = None, finish: object = "stop", **more: object) -> dict[str, Any]:
    choice = {"index": 0, "message": {"content": "Yes."} if message is None else message, "finish_reason": finish}
    return {"id": "1", "model": "m-1", "choices": [choice], **more}


def tool(given: object = "a", name: object = "f", arguments: object = "{}", **more: object) -> dict[str, Any]:
    return {"id": given, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def tools(*calls: object) -> dict[str, Any]:
    return answer({"content": None, "tool_calls": list(calls)}, "tool_calls")


def test_streams_come_as_server_sent_events() -> None:
    assert OpenAIChat().framing is Framing.SERVER_SENT_EVENTS


BAD: dict[str, Any] = {
    "null": None,
    "a list": [],
    "a text": "Yes.",
    "nothing": {},
    "no choices": {"id": "1", "choices": []},
    "choices that are no list": {"choices": {"0": {}}},
    "choices that are null": {"choices": None},
    "a choice that is no object": {"choices": ["Yes."]},
    "two choices": {"choices": [*answer()["choices"], *answer()["choices"]]},
    "no message": {"choices": [{"index": 0, "finish_reason": "stop"}]},
    "a message that is null": {"choices": [{"index": 0, "message": None, "finish_reason": "stop"}]},
    "content that is null": answer({"content": None}),
    "content that is empty": answer({"content": ""}),
    "content that is a number": answer({"content": 7}),
    "content of an unknown kind": answer({"content": [{"type": "picture"}]}),
    "content with a text that is none": answer({"content": [{"type": "text", "text": None}]}),
    "thoughts within thoughts": answer(
        {"content": [{"type": "thinking", "thinking": [{"type": "thinking", "thinking": []}]}]}
    ),
    "a refusal that is no text": answer({"content": None, "refusal": 7}),
    "half a character": answer({"content": "a\ud83d"}),
    "an unknown reason": answer(finish="eos"),
    "the reason of an older interface": answer({"content": None, "function_call": {}}, "function_call"),
    "a reason that is no text": answer(finish=7),
    "tools and none named": answer(finish="tool_calls"),
    "tools that are no list": answer({"tool_calls": {"a": 1}}, "tool_calls"),
    "arguments that are no JSON": tools(tool(arguments='{"x":')),
    "arguments that are no object": tools(tool(arguments="3")),
    "no name": tools(tool(name="")),
    "two calls under one id": tools(tool(), tool()),
    "a tool of an unknown kind": tools(tool(type="custom")),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_body_that_is_not_as_the_interface_says_is_an_error_and_never_an_answer(kind: str) -> None:
    with pytest.raises(BadResponseError) as caught:
        read(BAD[kind])
    assert (caught.value.provider, caught.value.model) == ("openai", "m")


@pytest.mark.parametrize("finish", [None, ""])
def test_an_answer_without_a_reason_for_its_end_is_incomplete(finish: object) -> None:
    with pytest.raises(IncompleteResponseError, match="after 4 characters"):
        read(answer(finish=finish))


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Gone", "type": "server_error"}},
        [{"error": {"message": "Gone", "type": "server_error"}}],
        {"object": "error", "message": "Gone", "type": "server_error"},
        {**answer(), "error": {"message": "Gone", "type": "server_error"}},
    ],
    ids=["object", "list", "flat", "beside an answer"],
)
def test_an_error_that_comes_with_a_good_status_is_reported(body: Any) -> None:
    with pytest.raises(ReportedFault) as caught:
        read(body)
    assert (caught.value.message, caught.value.type) == ("Gone", "server_error")


def test_a_filter_is_an_error_though_text_came() -> None:
    with pytest.raises(OutputFilteredError):
        read(answer(finish="content_filter"))
    with pytest.raises(OutputFilteredError):
        read({"choices": [{"index": 0, "finish_reason": "content_filter"}]})
    verdict = {"violence": {"filtered": True, "severity": "medium"}}
    body = answer()
    body["choices"][0]["content_filter_results"] = verdict
    with pytest.raises(OutputFilteredError, match="violence"):
        read(body)
    with pytest.raises(PromptBlockedError, match="violence"):
        read({"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": verdict}]})


def test_the_words_of_mistral_for_an_end_are_understood() -> None:
    assert read(answer(finish="model_length"), provider="mistral").finish_reason is FinishReason.LENGTH
    with pytest.raises(BadResponseError):
        read(answer(finish="model_length"))
    with pytest.raises(ReportedFault):
        read(answer(finish="error"), provider="mistral")


def test_a_limit_may_leave_no_text_and_so_may_a_word_that_stops() -> None:
    assert read(answer({"content": None}, "length")).finish_reason is FinishReason.LENGTH
    prompt = replace(Prompt.plain("q"), sampling=Sampling(stop=("END",)))
    assert read(answer({"content": ""}), prompt=prompt).finish_reason is FinishReason.STOP
    cut = answer({"content": None, "tool_calls": [tool(arguments='{"x')]}, "length")
    assert read(cut).tool_calls == ()


def test_what_a_server_thought_is_told_apart() -> None:
    body = answer({"content": "a", "reasoning_content": "hm"})
    assert (read(body, provider="llama_cpp").reasoning, read(body, provider="llama_cpp").text) == ("hm", "a")
    assert read(body).reasoning == ""


def test_the_timings_of_llama_cpp_stand_in_where_no_usage_is_said() -> None:
    body = answer(timings={"cache_n": 7, "prompt_n": 5, "predicted_n": 2})
    usage = read(body, provider="llama_cpp").usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (12, 2, 7)
    assert usage.source is UsageSource.REPORTED
    assert read(body).usage.source is UsageSource.ESTIMATED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "delta",
                    "content",
                    "finish_reason",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "index",
                    "usage",
                    "prompt_tokens",
                    "error",
                    "refusal",
                    "type",
                    "prompt_filter_results",
                    "content_filter_results",
                    "timings",
                    "prompt_tokens_details",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)
messages = st.dictionaries(
    st.sampled_from(["content", "tool_calls", "refusal", "reasoning_content"]), json_values, max_size=4
)
finishes = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "error", None, "x"]) | json_values


@given(body=json_values, provider=st.sampled_from(["openai", "azure", "mistral", "llama_cpp"]))
def test_any_body_is_an_answer_or_a_typed_error(body: object, provider: str) -> None:
    with contextlib.suppress(LanguageModelError, ReportedFault):
        assert read(body, provider=provider).finish_reason


@given(message=messages, finish=finishes, more=json_values, provider=st.sampled_from(["azure", "mistral", "llama_cpp"]))
def test_any_message_is_an_answer_or_a_typed_error_whole_and_streamed(
    message: dict[str, object], finish: object, more: object, provider: str
) -> None:
    with contextlib.suppress(LanguageModelError, ReportedFault):
        json.dumps(read(answer(message, finish, usage=more, timings=more), provider=provider).text)
    version = provider_data(provider).api_version
    target = Target(provider, "m", version, provider_data(provider).quirks("m", version))
    stream = OpenAIChat().assembler(Prompt.plain("q"), target)
    event = {"choices": [{"delta": message, "finish_reason": finish}], "usage": more}
    try:
        stream.feed(ServerEvent("", json.dumps(event)))
        stream.completion()
    except (LanguageModelError, ReportedFault):
        pass
