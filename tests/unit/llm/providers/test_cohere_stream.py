"""Cohere's streams: whole, cut, damaged, and out of order."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from rag_engine.errors import BadResponseError, IncompleteResponseError, LanguageModelError
from rag_engine.llm.providers.cohere_chat import CohereChat
from rag_engine.llm.providers.dialect import ReportedFault, Target
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.generation import Completion, FinishReason, Prompt, ReasoningDelta, TextDelta, Usage, UsageSource
from tests.unit.llm.providers.wire_damage import (
    assert_consistent,
    damaged_events,
    events_of,
    golden,
    golden_names,
    golden_prompt,
    golden_target,
    read_events,
    read_pieces,
)

DIALECT = CohereChat()
NAMES = golden_names("cohere")
PROMPT = Prompt.plain("Why?")
TARGET = Target("cohere", "command-a-03-2025")


def event(body: dict[str, Any]) -> ServerEvent:
    return ServerEvent(str(body["type"]), json.dumps(body))


def part(kind: str, index: int | None = None, **message: Any) -> ServerEvent:
    body: dict[str, Any] = {"type": kind, "delta": {"message": message}}
    return event(body if index is None else body | {"index": index})


def growth(text: str, index: int = 0) -> ServerEvent:
    return part("content-delta", index, content={"text": text})


def begin(index: int = 0, kind: str = "text", text: str = "") -> ServerEvent:
    return part("content-start", index, content={"type": kind, kind: text})


def stop(index: int = 0, what: str = "content-end") -> ServerEvent:
    return event({"type": what, "index": index})


def end(reason: object = "COMPLETE", usage: object = None, **more: Any) -> ServerEvent:
    usage = usage or {"tokens": {"input_tokens": 5, "output_tokens": 9}}
    return event({"type": "message-end", "delta": {"finish_reason": reason, "usage": usage, **more}})


def call(index: int = 0, arguments: str = "") -> ServerEvent:
    wire = {"id": f"look_{index}", "type": "function", "function": {"name": "look", "arguments": arguments}}
    return part("tool-call-start", index, tool_calls=wire)


def call_piece(text: str, index: int = 0) -> ServerEvent:
    return part("tool-call-delta", index, tool_calls={"function": {"arguments": text}})


START = part("message-start", content=[])
OPENING = [START, begin()]
CLOSING = [stop(), end()]
ERROR = ServerEvent("error", '{"message": "Overloaded"}')


def assert_says(completion: Completion, facts: dict[str, Any]) -> None:
    assert completion.text == facts["text"]
    assert completion.finish_reason == facts["finish_reason"]
    assert completion.reasoning == facts.get("reasoning", "")
    usage = asdict(completion.usage)
    assert {name: usage[name] for name in facts["usage"]} == facts["usage"]
    calls = [asdict(call) | {"arguments": json.loads(call.arguments)} for call in completion.tool_calls]
    assert calls == facts["tool_calls"]
    assert [[one.marker, one.start, one.end] for one in completion.quotations] == facts.get("quotations", [])
    assert [[one.start, one.end, one.marker] for one in completion.cited] == facts.get("cited", [])


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_stream_says_what_its_facts_say(name: str) -> None:
    raw, facts = golden(name)
    deltas, completion = read_pieces(DIALECT, golden_prompt(facts), golden_target(facts), [raw])
    assert_says(completion, facts)
    assert_consistent(deltas, completion)


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_cut_at_any_byte_is_whole_or_a_typed_error(name: str) -> None:
    raw, facts = golden(name)
    prompt, target = golden_prompt(facts), golden_target(facts)
    finished = 0
    for cut in range(len(raw)):
        try:
            _, completion = read_pieces(DIALECT, prompt, target, [raw[:cut]])
        except IncompleteResponseError:
            assert not finished, "whole, and then no more"
            continue
        finished += 1
        assert_says(completion, facts)
    assert finished <= len(raw) - raw.rindex(b"message-end")


@given(data=strategies.data())
@settings(max_examples=60, deadline=None)
def test_a_stream_says_the_same_in_whatever_pieces_it_comes(data: strategies.DataObject) -> None:
    raw, facts = golden(data.draw(strategies.sampled_from(NAMES)))
    cuts = sorted({0, len(raw), *data.draw(strategies.lists(strategies.integers(0, len(raw))))})
    pieces = [raw[start:end] for start, end in itertools.pairwise(cuts)]
    deltas, completion = read_pieces(DIALECT, golden_prompt(facts), golden_target(facts), pieces)
    assert_says(completion, facts)
    assert_consistent(deltas, completion)


@given(data=strategies.data())
@settings(max_examples=400, deadline=None)
def test_a_damaged_stream_is_a_consistent_answer_or_a_typed_error(data: strategies.DataObject) -> None:
    raw, facts = golden(data.draw(strategies.sampled_from(NAMES)))
    events = data.draw(damaged_events(events_of(raw)))
    try:
        deltas, completion = read_events(DIALECT, golden_prompt(facts), golden_target(facts), events)
    except (LanguageModelError, ReportedFault):
        return
    assert_consistent(deltas, completion)


def test_a_hundred_thousand_pieces_make_one_text() -> None:
    events = [*OPENING, *(growth(str(number % 10)) for number in range(100_000)), *CLOSING]
    deltas, completion = read_events(DIALECT, PROMPT, TARGET, events)
    assert len(deltas) == 100_000
    assert completion.text == "0123456789" * 10_000


def test_what_comes_behind_the_end_is_not_read() -> None:
    assembler = DIALECT.assembler(PROMPT, TARGET)
    for one in [*OPENING, growth("Yes."), *CLOSING]:
        assert not assembler.ended
        assembler.feed(one)
    assert assembler.ended
    for behind in (growth("No."), ServerEvent("", "no JSON"), ERROR, *CLOSING):
        assert list(assembler.feed(behind)) == []
    assert assembler.completion().text == "Yes."


def test_events_that_the_interface_does_not_name_are_passed_over() -> None:
    others = [
        event({"type": "ping"}),
        event({"type": "brand-new"}),
        ServerEvent("heartbeat", "ok"),
        ServerEvent("", "[DONE]"),
    ]
    _, completion = read_events(DIALECT, PROMPT, TARGET, [*OPENING, *others, growth("Yes."), *others, *CLOSING])
    assert completion.text == "Yes."


def test_an_error_in_the_stream_is_reported_as_the_provider_says_it() -> None:
    with pytest.raises(ReportedFault) as raised:
        read_events(DIALECT, PROMPT, TARGET, [*OPENING, growth("Yes"), ERROR])
    assert raised.value.message == "Overloaded"


def test_an_error_that_is_plain_text_is_reported_too() -> None:
    with pytest.raises(ReportedFault) as raised:
        read_events(DIALECT, PROMPT, TARGET, [*OPENING, ServerEvent("error", "upstream gone")])
    assert raised.value.message == "upstream gone"


def test_an_error_without_a_type_is_reported_too() -> None:
    with pytest.raises(ReportedFault) as raised:
        read_events(DIALECT, PROMPT, TARGET, [ServerEvent("", '{"error": {"message": "no"}}')])
    assert raised.value.message == "no"


@pytest.mark.parametrize("data", ["", "{", "[]", "null", '"text"', '{"type": 7}', '{"type": ["a"]}', "[" * 100_000])
def test_an_event_that_is_no_object_of_json_is_never_skipped(data: str) -> None:
    with pytest.raises(BadResponseError) as raised:
        read_events(DIALECT, PROMPT, TARGET, [*OPENING, growth("Yes"), ServerEvent("", data), *CLOSING])
    assert (raised.value.provider, raised.value.model) == (TARGET.provider, TARGET.model)


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(BadResponseError):
        read_events(DIALECT, PROMPT, TARGET, [*OPENING, growth("\ud83d"), *CLOSING])


def test_nothing_at_all_is_no_answer() -> None:
    for events in ([], [ServerEvent("", "[DONE]")], [*OPENING], [*OPENING, growth("Yes.")]):
        with pytest.raises(IncompleteResponseError):
            read_events(DIALECT, PROMPT, TARGET, events)


def test_an_answer_that_is_done_and_empty_is_none() -> None:
    with pytest.raises(BadResponseError):
        read_events(DIALECT, PROMPT, TARGET, [*OPENING, *CLOSING])


@pytest.mark.parametrize(
    "events",
    [
        [START, START, begin(), growth("a"), *CLOSING],
        [START, growth("a"), end()],
        [part("message-start", content=[{"type": "text", "text": "Y"}]), begin(), growth("es"), *CLOSING],
        [*OPENING, growth("a"), growth("b", 1), *CLOSING],
        [*OPENING, begin(), growth("a"), *CLOSING],
        [START, begin(1), growth("a", 1), stop(1), end()],
        [*OPENING, growth("a"), stop(), growth("b"), end()],
        [*OPENING, growth("a"), stop(), stop(), end()],
        [*OPENING, growth("a"), end()],
        [*OPENING, begin(1), growth("b", 1), growth("a"), stop(), stop(1), end()],
        [*OPENING, part("content-delta", 0, content={"thinking": "Hm."}), *CLOSING],
        [START, begin(0, "hologram"), stop(), end()],
        [START, call_piece("{}"), end("TOOL_CALL")],
        [START, call(), call(), stop(0, "tool-call-end"), end("TOOL_CALL")],
        [START, call(), call_piece("{}"), end("TOOL_CALL")],
        [*OPENING, growth("a"), stop(), end("BECAUSE")],
        [*OPENING, growth("a"), stop(), end("TOOL_CALL")],
    ],
    ids=[
        "two starts",
        "no block",
        "content in the start",
        "unknown block",
        "block twice",
        "gap",
        "closed block",
        "closed twice",
        "not closed",
        "text goes back",
        "thought in text",
        "unknown kind",
        "unknown call",
        "call twice",
        "call not closed",
        "unknown reason",
        "no call",
    ],
)
def test_events_out_of_their_order_are_no_answer(events: list[ServerEvent]) -> None:
    with pytest.raises(BadResponseError):
        read_events(DIALECT, PROMPT, TARGET, events)


def test_an_end_without_a_reason_is_none() -> None:
    with pytest.raises(IncompleteResponseError):
        read_events(DIALECT, PROMPT, TARGET, [*OPENING, growth("Yes."), stop(), end(None)])


@pytest.mark.parametrize("reason", ["ERROR", "TIMEOUT", None])
def test_an_end_by_a_fault_of_the_providers_is_reported_as_it_says(reason: str | None) -> None:
    with pytest.raises(ReportedFault) as raised:
        read_events(DIALECT, PROMPT, TARGET, [*OPENING, growth("Yes"), end(reason, error="gone")])
    assert (raised.value.type, raised.value.message) == (reason or "", "gone")


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", "7", '{"a": NaN}', '{"a": 1e999}', '"x"'])
def test_a_call_whose_arguments_are_no_object_is_no_answer(arguments: str) -> None:
    with pytest.raises(BadResponseError):
        read_events(
            DIALECT, PROMPT, TARGET, [START, call(), call_piece(arguments), stop(0, "tool-call-end"), end("TOOL_CALL")]
        )


def test_calls_may_grow_side_by_side_and_without_arguments() -> None:
    events = [START, call(), call(1), call(2), call_piece('{"a"', 0), call_piece('{"b": 2}', 1), call_piece(": 1}", 0)]
    events += [stop(number, "tool-call-end") for number in (1, 0, 2)]
    _, completion = read_events(DIALECT, PROMPT, TARGET, [*events, end("TOOL_CALL")])
    assert [(one.id, one.arguments) for one in completion.tool_calls] == [
        ("look_0", '{"a": 1}'),
        ("look_1", '{"b": 2}'),
        ("look_2", "{}"),
    ]


def test_a_cut_answer_hands_out_its_text_and_no_half_call() -> None:
    events = [*OPENING, growth("I look."), stop(), call(), call_piece('{"a'), end("MAX_TOKENS")]
    _, completion = read_events(DIALECT, PROMPT, TARGET, events)
    assert (completion.text, completion.finish_reason, completion.tool_calls) == ("I look.", FinishReason.LENGTH, ())


def test_plans_and_thoughts_are_told_apart_from_the_answer() -> None:
    events = [START, begin(0, "thinking", "H"), part("content-delta", 0, content={"thinking": "m."}), stop()]
    events += [part("tool-plan-delta", tool_plan=" I look."), begin(1, "text", "Yes"), growth(".", 1), stop(1), end()]
    deltas, completion = read_events(DIALECT, PROMPT, TARGET, events)
    assert deltas == [
        ReasoningDelta("H"),
        ReasoningDelta("m."),
        ReasoningDelta(" I look."),
        TextDelta("Yes"),
        TextDelta("."),
    ]
    assert (completion.text, completion.reasoning) == ("Yes.", "Hm. I look.")


@pytest.mark.parametrize(
    "usage",
    [
        {"tokens": {"input_tokens": -5, "output_tokens": 9}},
        {"tokens": {"input_tokens": 5}},
        {"tokens": {"input_tokens": 5, "output_tokens": float("nan")}},
        {"tokens": {"input_tokens": 5, "output_tokens": 1}, "cached_tokens": 6},
        {"tokens": "many"},
    ],
)
def test_usage_that_is_no_number_is_to_be_estimated(usage: dict[str, object]) -> None:
    _, completion = read_events(DIALECT, PROMPT, TARGET, [*OPENING, growth("a"), stop(), end(usage=usage)])
    assert completion.usage == Usage(source=UsageSource.ESTIMATED)
