from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from rag_engine.errors import BadResponseError, IncompleteResponseError, LanguageModelError
from rag_engine.llm.providers.anthropic_messages import AnthropicMessages
from rag_engine.llm.providers.dialect import ReportedFault, Target
from rag_engine.types.generation import CitedSpan, Completion, FinishReason, Prompt, Quotation, Usage, UsageSource
from tests.golden_streams import numbered
from tests.unit.llm.providers.wire_damage import JSON_VALUES, assert_consistent, damaged

DIALECT = AnthropicMessages()
TARGET = Target("anthropic", "claude-opus-5", "2026-10-21")
SOURCES = (numbered(3, "Within 14 days, by transfer.", start=50), numbered(7, "Nothing else."))
PROMPT = Prompt("How long?", "", "[3] …", SOURCES, 0, documents=True)
CITATION = {
    "type": "char_location",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 7,
    "end_char_index": 14,
    "cited_text": "14 days",
}
TOOL_USE = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"n": 1}}


def text(words: str = "Two weeks.", citations: object = None) -> dict[str, Any]:
    return {"type": "text", "text": words, "citations": citations}


def body(*content: object, reason: object = "end_turn", usage: object = None) -> dict[str, Any]:
    return {
        "type": "message",
        "model": "claude-opus-5",
        "content": list(content),
        "stop_reason": reason,
        "usage": usage or {"input_tokens": 5, "output_tokens": 9},
    }


def read(*content: object, **others: Any) -> Completion:
    return DIALECT.completion(body(*content, **others), PROMPT, TARGET)


@pytest.mark.parametrize(
    ("reason", "meant"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("refusal", FinishReason.REFUSED),
    ],
)
def test_every_reason_to_stop_has_its_meaning(reason: str, meant: FinishReason) -> None:
    assert read(text(), reason=reason).finish_reason is meant


@pytest.mark.parametrize("reason", ["because", "", 7, ["end_turn"], {}])
def test_a_reason_that_the_interface_does_not_name_is_no_end(reason: object) -> None:
    with pytest.raises(BadResponseError):
        read(text(), reason=reason)


@pytest.mark.parametrize("reason", [None, "pause_turn"])
def test_a_message_without_an_end_is_not_whole(reason: str | None) -> None:
    with pytest.raises(IncompleteResponseError):
        read(text(), reason=reason)


def test_a_call_is_handed_out_where_the_answer_ends_with_it_and_not_where_it_was_cut() -> None:
    for reason in ("tool_use", "end_turn"):
        completion = read(text("I look."), TOOL_USE, reason=reason)
        assert completion.finish_reason is FinishReason.TOOL_CALLS
        assert [(call.id, call.name, call.arguments) for call in completion.tool_calls] == [
            ("toolu_1", "look", '{"n": 1}')
        ]
    for reason in ("max_tokens", "refusal"):
        assert read(text("I look."), TOOL_USE | {"input": None}, reason=reason).tool_calls == ()


@pytest.mark.parametrize(
    "block",
    [
        {"type": "hologram", "data": "x"},
        {"type": "server_tool_use", "id": "a", "name": "web_search", "input": {}},
        {"type": "text"},
        {"type": "text", "text": None},
        {"type": "text", "text": "half \udc00"},
        {"type": "text", "text": "x", "citations": "all"},
        {"type": "thinking"},
        {"type": "tool_use", "id": "", "name": "look", "input": {}},
        {"type": "tool_use", "id": "a", "name": "look", "input": [1]},
        {"type": "tool_use", "id": "a", "name": "look", "input": {"n": float("nan")}},
        {},
        "text",
        None,
    ],
)
def test_content_that_cannot_be_read_is_no_part_of_an_answer(block: object) -> None:
    with pytest.raises(BadResponseError):
        read(text(), block)


@pytest.mark.parametrize("content", [None, "Two weeks.", {}, 7])
def test_a_message_without_a_list_of_content_is_none(content: object) -> None:
    with pytest.raises(BadResponseError):
        DIALECT.completion(body() | {"content": content}, PROMPT, TARGET)


def test_an_empty_message_is_an_answer_only_where_it_was_cut_or_stopped() -> None:
    for content in ([], [text("")], [{"type": "thinking", "thinking": "Hm.", "signature": ""}]):
        with pytest.raises(BadResponseError):
            read(*content)
        with pytest.raises(BadResponseError):
            read(*content, reason="tool_use")
        assert read(*content, reason="max_tokens").finish_reason is FinishReason.LENGTH
        assert read(*content, reason="stop_sequence").text == ""
        assert read(*content, reason="refusal").finish_reason is FinishReason.REFUSED


def test_quotations_are_characters_of_the_document_and_spans_those_of_the_answer() -> None:
    completion = read(text("It takes "), text("two weeks", [CITATION, CITATION]), text("."))
    assert completion.text == "It takes two weeks."
    assert completion.quotations == (Quotation(marker=3, start=57, end=64),)
    assert completion.cited == (CitedSpan(start=9, end=18, marker=3),)


@pytest.mark.parametrize(
    "change",
    [
        {"cited_text": "15 days"},
        {"start_char_index": 8},
        {"end_char_index": 9999},
        {"start_char_index": -21, "end_char_index": -14},
        {"start_char_index": 14},
        {"start_char_index": "7"},
        {"type": "page_location"},
        {"cited_text": None},
    ],
)
def test_a_quotation_that_does_not_stand_where_it_says_is_dropped(change: dict[str, object]) -> None:
    completion = read(text(citations=[CITATION | change]))
    assert completion.quotations == ()
    assert completion.cited == (CitedSpan(0, 10, 3),)


@pytest.mark.parametrize("index", [2, -1, None, "0", True, 0.0])
def test_a_citation_of_a_document_that_was_not_sent_is_dropped(index: object) -> None:
    completion = read(text(citations=[CITATION | {"document_index": index}]))
    assert (completion.quotations, completion.cited) == ((), ())


def test_blank_sources_do_not_shift_the_numbers_of_documents() -> None:
    prompt = Prompt("?", "", "…", (numbered(1, " \n"), numbered(2, "Within 14 days.")), 0, documents=True)
    completion = DIALECT.completion(body(text(citations=[CITATION])), prompt, TARGET)
    assert completion.quotations == (Quotation(2, 7, 14),)


def test_thoughts_come_back_with_the_call_that_they_led_to() -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}
    hidden = {"type": "redacted_thinking", "data": "Em"}
    completion = read(thinking, hidden, text("I look."), TOOL_USE, thinking, TOOL_USE, TOOL_USE, reason="tool_use")
    carried = [json.loads(call.signature)["thinking"] if call.signature else [] for call in completion.tool_calls]
    assert carried == [[thinking, hidden], [thinking], []]
    assert (completion.text, completion.reasoning) == ("I look.", "Hm.Hm.")


def test_tokens_of_the_cache_are_among_those_read() -> None:
    usage = {
        "input_tokens": 5,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 500,
        "output_tokens": 60,
        "output_tokens_details": {"thinking_tokens": 41},
    }
    assert read(text(), usage=usage).usage == Usage(535, 60, None, 500, 30, 41)
    unsaid = dict.fromkeys(usage) | {"input_tokens": 5, "output_tokens": 60}
    assert read(text(), usage=unsaid).usage == Usage(5, 60)


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": -5, "output_tokens": 9},
        {"input_tokens": 5, "output_tokens": 10**12 + 1},
        {"input_tokens": 5},
        {"input_tokens": 5, "output_tokens": float("nan")},
        {"input_tokens": 5, "output_tokens": 9, "cache_read_input_tokens": -1},
        {"input_tokens": 5, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 10}},
        "many",
        [5, 9],
    ],
)
def test_usage_that_cannot_be_is_to_be_estimated(usage: object) -> None:
    assert read(text(), usage=usage).usage == Usage(source=UsageSource.ESTIMATED)


@pytest.mark.parametrize(
    ("report", "type_", "reason", "message"),
    [
        (
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            "overloaded_error",
            "",
            "Overloaded",
        ),
        (
            {"error": {"type": "rate_limit_error", "message": "m", "details": {"error_code": "ramp_limit_exceeded"}}},
            "rate_limit_error",
            "ramp_limit_exceeded",
            "m",
        ),
        ({"error": "model not found"}, "", "", "model not found"),
        ({"message": "The security token is invalid."}, "", "", "The security token is invalid."),
        ({"detail": "Not Found"}, "", "", "Not Found"),
        ("upstream connect error", "", "", "upstream connect error"),
        ({"error": {"type": 7, "message": ["no"], "details": "x"}}, "", "", ""),
        ([], "", "", ""),
        (None, "", "", ""),
    ],
)
def test_a_report_of_an_error_is_read_in_every_form(report: Any, type_: str, reason: str, message: str) -> None:
    fault = DIALECT.fault(report)
    assert (fault.type, fault.reason, fault.message, fault.code) == (type_, reason, message, "")


def test_a_report_of_an_error_in_place_of_an_answer_is_no_answer() -> None:
    with pytest.raises(ReportedFault) as raised:
        DIALECT.completion({"type": "error", "error": {"type": "api_error", "message": "no"}}, PROMPT, TARGET)
    assert raised.value.type == "api_error"


@given(JSON_VALUES)
def test_any_report_of_an_error_can_be_read(report: Any) -> None:
    fault = DIALECT.fault(report)
    assert {type(value) for value in (fault.type, fault.code, fault.reason, fault.message)} == {str}


@given(data=strategies.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_message_is_a_consistent_answer_or_a_typed_error(data: strategies.DataObject) -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}
    usage = {"input_tokens": 5, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}
    whole = body(thinking, text(citations=[CITATION]), TOOL_USE, reason="tool_use", usage=usage)
    changed = data.draw(damaged(whole).filter(lambda value: isinstance(value, dict)))
    try:
        completion = DIALECT.completion(changed, PROMPT, TARGET)
    except (LanguageModelError, ReportedFault):
        return
    assert_consistent([], completion, whole=True)


@pytest.mark.parametrize("foreign", [{}, {"choices": []}, {"ok": True}])
def test_what_another_server_says_is_no_answer(foreign: dict[str, Any]) -> None:
    with pytest.raises(BadResponseError):
        DIALECT.completion(foreign, PROMPT, TARGET)
