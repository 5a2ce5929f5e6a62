"""What the dialect of Google makes of answers, right and wrong."""

from __future__ import annotations

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
from rag_engine.llm.providers.dialect import ReportedFault
from rag_engine.types.conversation import ToolCall
from rag_engine.types.generation import FinishReason, ReasoningDelta, TextDelta, Usage
from tests.unit.llm.providers.google_answers import COUNTS, DIALECT, NO_NUMBERS, WORDS, answer, read, stream
from tests.unit.llm.providers.wire_damage import json_with


def test_a_whole_answer_is_read() -> None:
    completion = read(answer(WORDS) | {"modelVersion": "gemini-2.5-flash-002", "responseId": "r-1"})
    assert completion.text == "324 metres"
    assert completion.finish_reason is FinishReason.STOP
    assert completion.usage == Usage(9, 4)
    assert (completion.model, completion.request_id) == ("gemini-2.5-flash-002", "r-1")


def test_thoughts_are_reasoning_and_no_part_of_the_answer() -> None:
    counts = COUNTS | {"thoughtsTokenCount": 30, "cachedContentTokenCount": 5, "toolUsePromptTokenCount": 2}
    deltas, completion = stream(
        answer({"text": "Hm.", "thought": True}, finish=None), answer({"thoughtSignature": "Q0Q="}, WORDS, usage=counts)
    )
    assert deltas == [ReasoningDelta("Hm."), TextDelta("324 metres")]
    assert (completion.text, completion.reasoning) == ("324 metres", "Hm.")
    assert completion.usage == Usage(11, 34, cache_read_tokens=5, reasoning_tokens=30)


def test_function_calls_end_with_stop_and_are_tool_calls() -> None:
    call = {"functionCall": {"name": "f", "args": {"a": "é"}, "id": "x"}, "thoughtSignature": "Q0Q="}
    completion = read(answer(call, {"functionCall": {"name": "g"}}))
    assert completion.finish_reason is FinishReason.TOOL_CALLS
    assert completion.tool_calls == (
        ToolCall("x", "f", '{"a": "é"}', signature="Q0Q="),
        ToolCall("call-without-id-2", "g", "{}"),
    )


@pytest.mark.parametrize("finish", ["MAX_TOKENS", "CONTINUATION"])
def test_a_limit_is_said(finish: str) -> None:
    assert read(answer(WORDS, finish=finish)).finish_reason is FinishReason.LENGTH


def test_thinking_that_took_all_tokens_leaves_an_empty_answer_that_says_so() -> None:
    body = {"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}], "usageMetadata": COUNTS}
    assert (read(body).text, read(body).finish_reason) == ("", FinishReason.LENGTH)


@pytest.mark.parametrize(
    "finish", ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY"]
)
def test_a_filter_that_ends_an_answer_leaves_none(finish: str) -> None:
    with pytest.raises(OutputFilteredError, match=finish) as raised:
        stream(answer(WORDS, finish=None), answer(finish=finish))
    assert (raised.value.provider, raised.value.model) == ("google", "gemini-2.5-flash")
    with pytest.raises(OutputFilteredError):
        read(answer(WORDS, finish=finish))


@pytest.mark.parametrize(
    "finish",
    ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "MALFORMED_RESPONSE", "NEVER_SEEN", "stop", 1, [], {}],
)
def test_an_end_that_is_none_or_unknown_is_a_bad_response(finish: Any) -> None:
    with pytest.raises(BadResponseError):
        read(answer(WORDS, finish=finish))


@pytest.mark.parametrize("finish", [None, "", "FINISH_REASON_UNSPECIFIED"])
def test_without_an_end_it_is_incomplete(finish: Any) -> None:
    with pytest.raises(IncompleteResponseError):
        read(answer(WORDS, finish=finish))
    with pytest.raises(IncompleteResponseError):
        stream(answer(WORDS, finish=finish))


def test_a_stream_of_nothing_is_incomplete() -> None:
    with pytest.raises(IncompleteResponseError):
        stream()


def test_a_blocked_prompt_is_said_with_its_reason() -> None:
    body = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}}
    with pytest.raises(PromptBlockedError, match="SAFETY"):
        read(body)
    with pytest.raises(PromptBlockedError, match="SAFETY"):
        stream(body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"candidates": []},
        {"candidates": None},
        {"candidates": {}},
        {"candidates": [None]},
        {"candidates": ["x"]},
        {"candidates": [{"content": "x", "finishReason": "STOP"}]},
        {"candidates": [{"content": {"parts": {}}, "finishReason": "STOP"}]},
        answer("x"),
        answer({"text": 5}),
        answer({"text": None}),
        answer({"text": "half \ud83d"}),
        answer({"inlineData": {"mimeType": "image/png", "data": ""}}),
        answer({"executableCode": {"code": "1"}}, WORDS),
        answer({"functionCall": {"name": "f", "args": "{}"}}),
        answer({"functionCall": {"name": "f", "args": [1]}}),
        answer({"functionCall": {"name": "f", "args": {"a": float("nan")}}}),
        answer({"functionCall": {"name": "f", "args": {"a": "\ud83d"}}}),
        answer({"functionCall": {"name": "f", "willContinue": True}}),
        answer({"functionCall": {"name": ""}}),
        answer({"functionCall": None}),
        answer(),
        answer({"text": ""}),
        answer({"text": "only thought", "thought": True}),
        {"promptFeedback": {}},
    ],
)
def test_what_is_no_answer_is_a_bad_response(body: Any) -> None:
    with pytest.raises(BadResponseError):
        read(body)


@pytest.mark.parametrize("data", ["", "null", "[1]", "3", '"text"', "{", "[DONE]", "[" * 100_000, '{"candidates": [}'])
def test_what_is_no_fragment_is_a_bad_response(data: str) -> None:
    with pytest.raises(BadResponseError):
        stream(data)


def test_a_part_with_nothing_but_marks_is_passed_over() -> None:
    marks = {"thoughtSignature": "Q0Q=", "thought": True, "partMetadata": {}}
    assert read(answer(marks, WORDS, {})).text == "324 metres"


@pytest.mark.parametrize("number", [-1, float("nan"), 1.5, 4.0, "4", None, True, [], float("inf"), 10**12 + 1])
@pytest.mark.parametrize(
    "name", ["promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount"]
)
def test_numbers_that_are_none_leave_the_usage_to_an_estimate(name: str, number: Any) -> None:
    assert read(answer(WORDS, usage=COUNTS | {name: number})).usage == NO_NUMBERS


@pytest.mark.parametrize("usage", [None, [], "x", {}, {"candidatesTokenCount": 4}, {"promptTokenCount": 9}])
def test_missing_numbers_leave_the_usage_to_an_estimate(usage: Any) -> None:
    assert read(answer(WORDS, usage=usage)).usage == NO_NUMBERS


def test_more_cached_than_read_is_no_usage() -> None:
    assert read(answer(WORDS, usage=COUNTS | {"cachedContentTokenCount": 10})).usage == NO_NUMBERS


NAMES = [
    "candidates",
    "content",
    "parts",
    "text",
    "thought",
    "functionCall",
    "name",
    "args",
    "finishReason",
    "index",
    "usageMetadata",
    "promptTokenCount",
    "promptFeedback",
    "blockReason",
    "error",
    "details",
    "message",
    "code",
]
JSON = json_with(NAMES)


@given(st.lists(JSON, max_size=4))
def test_whatever_json_comes_is_an_answer_or_a_typed_error(fragments: list[Any]) -> None:
    try:
        _, completion = stream(*fragments)
    except (LanguageModelError, ReportedFault):
        return
    assert completion.text or completion.finish_reason is not FinishReason.STOP


@given(st.dictionaries(st.sampled_from(["candidates", "usageMetadata", "promptFeedback", "error"]), JSON))
def test_whatever_json_comes_as_a_whole_is_an_answer_or_a_typed_error(body: Any) -> None:
    try:
        completion = read(body)
    except (LanguageModelError, ReportedFault):
        return
    assert completion.text or completion.finish_reason is not FinishReason.STOP


@given(JSON)
def test_whatever_json_is_the_body_of_an_error_can_be_read(body: Any) -> None:
    fault = DIALECT.fault(body)
    assert fault.retry_delay is None or fault.retry_delay >= 0
