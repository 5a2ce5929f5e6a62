from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from rag_engine.errors import BadResponseError, IncompleteResponseError, LanguageModelError
from rag_engine.llm.providers.cohere_chat import CohereChat
from rag_engine.llm.providers.dialect import ReportedFault, Target
from rag_engine.types.generation import CitedSpan, Completion, FinishReason, Prompt, Usage, UsageSource
from tests.golden_streams import numbered
from tests.unit.llm.providers.wire_damage import JSON_VALUES, assert_consistent, damaged

DIALECT = CohereChat()
TARGET = Target("cohere", "command-a-03-2025")
PROMPT = Prompt("How long?", "", "…", (numbered(3, "Within 14 days."), numbered(7, "No more.")), 0, documents=True)
TEXT = {"type": "text", "text": "It takes two weeks."}
THOUGHT = {"type": "thinking", "thinking": "Hm."}
CITATION = {
    "start": 9,
    "end": 18,
    "text": "two weeks",
    "sources": [{"type": "document", "id": "3", "document": {"id": "3"}}],
    "content_index": 0,
    "type": "TEXT_CONTENT",
}
CALL = {"id": "look_1", "type": "function", "function": {"name": "look", "arguments": '{"n":1}'}}


def body(*content: object, reason: object = "COMPLETE", usage: object = None, **message: Any) -> dict[str, Any]:
    return {
        "id": "c1",
        "finish_reason": reason,
        "message": {"role": "assistant", "content": list(content), **message},
        "usage": usage or {"tokens": {"input_tokens": 5, "output_tokens": 9}},
    }


def read(*content: object, **others: Any) -> Completion:
    return DIALECT.completion(body(*content, **others), PROMPT, TARGET)


@pytest.mark.parametrize(
    ("reason", "meant"),
    [
        ("COMPLETE", FinishReason.STOP),
        ("STOP_SEQUENCE", FinishReason.STOP),
        ("MAX_TOKENS", FinishReason.LENGTH),
    ],
)
def test_every_reason_to_stop_has_its_meaning(reason: str, meant: FinishReason) -> None:
    assert read(TEXT, reason=reason).finish_reason is meant


@pytest.mark.parametrize("reason", ["ERROR", "TIMEOUT"])
def test_an_answer_that_ended_by_a_fault_is_none(reason: str) -> None:
    with pytest.raises(ReportedFault) as raised:
        read(TEXT, reason=reason)
    assert raised.value.type == reason


@pytest.mark.parametrize("reason", ["ERROR_TOXIC", "", 7, ["COMPLETE"], {}])
def test_a_reason_that_the_interface_does_not_name_is_no_end(reason: object) -> None:
    with pytest.raises(BadResponseError):
        read(TEXT, reason=reason)


def test_an_answer_without_an_end_is_not_whole() -> None:
    with pytest.raises(IncompleteResponseError):
        read(TEXT, reason=None)


def test_a_call_is_handed_out_where_the_answer_ends_with_it_and_not_where_it_was_cut() -> None:
    for reason in ("TOOL_CALL", "COMPLETE"):
        completion = read(reason=reason, tool_calls=[CALL], tool_plan="I look.")
        assert completion.finish_reason is FinishReason.TOOL_CALLS
        (call,) = completion.tool_calls
        assert (call.id, call.name, call.arguments) == ("look_1", "look", '{"n": 1}')
        assert json.loads(call.signature) == {"tool_plan": "I look."}
        assert completion.reasoning == "I look."
    cut = CALL | {"function": {"name": "look", "arguments": '{"n'}}
    assert read(TEXT, reason="MAX_TOKENS", tool_calls=[cut]).tool_calls == ()


@pytest.mark.parametrize(
    "call",
    [
        {},
        CALL | {"id": ""},
        CALL | {"id": None},
        CALL | {"function": None},
        CALL | {"function": {"name": "", "arguments": "{}"}},
        CALL | {"function": {"name": "look", "arguments": "[]"}},
        CALL | {"function": {"name": "look", "arguments": "{"}},
        "look",
    ],
)
def test_a_call_that_cannot_be_read_is_no_answer(call: object) -> None:
    with pytest.raises(BadResponseError):
        read(reason="TOOL_CALL", tool_calls=[call])


def test_a_call_without_arguments_has_none() -> None:
    call = CALL | {"function": {"name": "look", "arguments": None}}
    assert read(reason="TOOL_CALL", tool_calls=[call]).tool_calls[0].arguments == "{}"


@pytest.mark.parametrize("block", [{"type": "hologram"}, {"type": "text"}, {"type": "text", "text": 7}, {}, "text"])
def test_content_that_cannot_be_read_is_no_part_of_an_answer(block: object) -> None:
    with pytest.raises(BadResponseError):
        read(TEXT, block)


@pytest.mark.parametrize("content", [None, []])
def test_an_answer_that_is_done_and_empty_is_none(content: object) -> None:
    with pytest.raises(BadResponseError):
        DIALECT.completion(body() | {"message": {"content": content}}, PROMPT, TARGET)
    cut = DIALECT.completion(body(reason="MAX_TOKENS") | {"message": {"content": content}}, PROMPT, TARGET)
    assert cut.finish_reason is FinishReason.LENGTH


@pytest.mark.parametrize("message", [None, [], "text"])
def test_an_answer_without_a_message_is_none(message: object) -> None:
    with pytest.raises(BadResponseError):
        DIALECT.completion(body() | {"message": message}, PROMPT, TARGET)


def test_cited_spans_count_in_the_whole_text() -> None:
    second = CITATION | {"start": 0, "end": 3, "text": "Üse", "content_index": 2, "type": None}
    second["sources"] = [{"type": "document", "id": "7"}, {"type": "document", "id": "3"}, {"type": "tool", "id": "3"}]
    completion = read(TEXT, THOUGHT, {"type": "text", "text": "Üse it."}, citations=[CITATION, second, CITATION])
    assert completion.cited == (CitedSpan(9, 18, 3), CitedSpan(19, 22, 7), CitedSpan(19, 22, 3))
    assert completion.text[19:22] == "Üse"
    assert completion.quotations == ()


def test_a_citation_that_names_no_block_is_of_the_only_one() -> None:
    citation = CITATION | {"content_index": None}
    assert read(THOUGHT, TEXT, citations=[citation]).cited == (CitedSpan(9, 18, 3),)
    assert read(TEXT, TEXT, citations=[citation]).cited == ()


@pytest.mark.parametrize(
    "change",
    [
        {"text": "two days"},
        {"start": 10},
        {"start": -10, "end": -1},
        {"end": 999},
        {"start": None},
        {"content_index": 1},
        {"content_index": 9},
        {"content_index": "0"},
        {"type": "THINKING_CONTENT"},
        {"type": "PLAN"},
        {"sources": None},
        {"sources": [7]},
        {"sources": [{"type": "document", "id": "4"}]},
        {"sources": [{"type": "tool", "id": "3"}]},
    ],
)
def test_a_citation_that_does_not_stand_where_it_says_or_names_no_source_is_dropped(change: dict[str, object]) -> None:
    assert read(TEXT, THOUGHT, citations=[CITATION | change]).cited == ()


@pytest.mark.parametrize(
    ("usage", "meant"),
    [
        ({"tokens": {"input_tokens": 5.0, "output_tokens": 9}, "cached_tokens": 2}, Usage(5, 9, cache_read_tokens=2)),
        ({"billed_units": {"input_tokens": 3, "output_tokens": 9}}, Usage(3, 9)),
        (
            {
                "billed_units": {"input_tokens": 3, "output_tokens": 9},
                "tokens": {"input_tokens": 5, "output_tokens": 9},
            },
            Usage(5, 9),
        ),
        ({"tokens": {"input_tokens": 1e15, "output_tokens": 9}}, Usage(source=UsageSource.ESTIMATED)),
        ({"tokens": {"input_tokens": -5, "output_tokens": 9}}, Usage(source=UsageSource.ESTIMATED)),
        ({"tokens": {"output_tokens": 9}}, Usage(source=UsageSource.ESTIMATED)),
        ({"cached_tokens": 9}, Usage(source=UsageSource.ESTIMATED)),
        ([5, 9], Usage(source=UsageSource.ESTIMATED)),
    ],
)
def test_usage_is_what_was_read_and_written_or_to_be_estimated(usage: object, meant: Usage) -> None:
    assert read(TEXT, usage=usage).usage == meant


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ({"id": "c1", "message": "invalid api token"}, "invalid api token"),
        ({"message": "blocked input"}, "blocked input"),
        ({"error": {"message": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"data": "no"}, "no"),
        ("upstream connect error", "upstream connect error"),
        ({"message": ["no"]}, ""),
        (None, ""),
    ],
)
def test_a_report_of_an_error_is_read_in_every_form(report: Any, message: str) -> None:
    assert DIALECT.fault(report).message == message


def test_a_report_of_an_error_in_place_of_an_answer_is_no_answer() -> None:
    with pytest.raises(ReportedFault) as raised:
        DIALECT.completion({"message": "internal server error"}, PROMPT, TARGET)
    assert raised.value.message == "internal server error"


@given(JSON_VALUES)
def test_any_report_of_an_error_can_be_read(report: Any) -> None:
    fault = DIALECT.fault(report)
    assert {type(value) for value in (fault.type, fault.code, fault.reason, fault.message)} == {str}


@given(data=strategies.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_answer_is_a_consistent_one_or_a_typed_error(data: strategies.DataObject) -> None:
    usage = {"tokens": {"input_tokens": 5, "output_tokens": 9}, "cached_tokens": 3}
    whole = body(TEXT, THOUGHT, citations=[CITATION], tool_calls=[CALL], tool_plan="I look.", usage=usage)
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
