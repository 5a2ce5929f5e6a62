"""Anthropic's streams: whole, cut, damaged, and out of order."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from rag_engine.errors import BadResponseError, IncompleteResponseError, LanguageModelError
from rag_engine.llm.providers.anthropic_messages import AnthropicMessages
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

DIALECT = AnthropicMessages()
NAMES = golden_names("anthropic")
PROMPT = Prompt.plain("Why?")
TARGET = Target("anthropic", "claude-opus-5")


def event(body: dict[str, Any]) -> ServerEvent:
    return ServerEvent(str(body["type"]), json.dumps(body))


def growth(text: str, index: int = 0) -> ServerEvent:
    return event({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}})


def begin(block: dict[str, Any], index: int = 0) -> ServerEvent:
    return event({"type": "content_block_start", "index": index, "content_block": block})


def stop(index: int = 0) -> ServerEvent:
    return event({"type": "content_block_stop", "index": index})


def end(reason: str | None = "end_turn", usage: object = None) -> list[ServerEvent]:
    delta = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage or {"output_tokens": 9}}
    return [event(delta), event({"type": "message_stop"})]


TEXT = {"type": "text", "text": ""}
START = event({"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1}}})
OPENING = [START, begin(TEXT)]
CLOSING = [stop(), *end()]
ERROR = event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}


def input_piece(text: str, index: int = 0) -> ServerEvent:
    delta = {"type": "input_json_delta", "partial_json": text}
    return event({"type": "content_block_delta", "index": index, "delta": delta})


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
    assert finished <= len(raw) - raw.rindex(b"message_stop")


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
        [begin(TEXT), growth("a"), stop(), *end()],
        [START, START, begin(TEXT), growth("a"), stop(), *end()],
        [START, growth("a"), *end()],
        [event({"type": "message_start", "message": {"content": [TEXT]}}), begin(TEXT), growth("a"), *CLOSING],
        [START, begin(TEXT), growth("a"), growth("b", 1), stop(), *end()],
        [START, begin(TEXT), begin(TEXT), growth("a"), stop(), *end()],
        [START, begin(TEXT, 1), growth("a", 1), stop(1), *end()],
        [START, begin(TEXT), growth("a"), stop(), growth("b"), *end()],
        [START, begin(TEXT), growth("a"), stop(), stop(), *end()],
        [START, begin(TEXT), growth("a"), *end()],
        [START, begin(TEXT), begin(TEXT, 1), growth("b", 1), growth("a"), stop(), stop(1), *end()],
        [START, begin(TEXT), growth("a"), stop(), end()[0], begin(TEXT, 1), growth("b", 1), stop(1), end()[1]],
        [START, begin(TEXT), input_piece("{}"), stop(), *end()],
        [START, begin(TOOL), growth("a"), stop(), *end()],
        [START, begin({"type": "hologram"}), stop(), begin(TEXT, 1), growth("a", 1), stop(1), *end()],
        [
            START,
            begin(TEXT),
            event({"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta"}}),
            *CLOSING,
        ],
        [START, begin(TEXT), growth("a"), stop(), *end("because")],
    ],
    ids=[
        "no start",
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
        "content behind the end",
        "arguments in text",
        "text in a call",
        "unknown block kind",
        "unknown piece",
        "unknown reason",
    ],
)
def test_events_out_of_their_order_are_no_answer(events: list[ServerEvent]) -> None:
    with pytest.raises(BadResponseError):
        read_events(DIALECT, PROMPT, TARGET, events)


@pytest.mark.parametrize("reason", [None, "pause_turn"])
def test_a_message_that_stops_without_a_reason_or_only_pauses_is_not_whole(reason: str | None) -> None:
    with pytest.raises(IncompleteResponseError):
        read_events(DIALECT, PROMPT, TARGET, [*OPENING, growth("Yes."), stop(), *end(reason)])


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", "7", '{"a": NaN}', '{"a": 1e999}', '"x"', '{"a": "\\ud83d"}'])
def test_a_call_whose_arguments_are_no_object_is_no_answer(arguments: str) -> None:
    with pytest.raises(BadResponseError):
        read_events(DIALECT, PROMPT, TARGET, [START, begin(TOOL), input_piece(arguments), stop(), *end("tool_use")])


def test_blocks_may_grow_side_by_side_where_only_one_is_text() -> None:
    events = [
        *OPENING,
        begin(TOOL, 1),
        input_piece('{"a"', 1),
        growth("I look."),
        input_piece(": 1}", 1),
        stop(1),
        stop(),
        *end("tool_use"),
    ]
    _, completion = read_events(DIALECT, PROMPT, TARGET, events)
    assert (completion.text, completion.tool_calls[0].arguments) == ("I look.", '{"a": 1}')


def test_a_block_may_begin_with_what_it_says() -> None:
    call = TOOL | {"input": {"a": 1}}
    events = [
        START,
        begin({"type": "text", "text": "Yes"}),
        growth("."),
        stop(),
        begin(call, 1),
        stop(1),
        *end("tool_use"),
    ]
    deltas, completion = read_events(DIALECT, PROMPT, TARGET, events)
    assert deltas == [TextDelta("Yes"), TextDelta(".")]
    assert (completion.text, completion.tool_calls[0].arguments) == ("Yes.", '{"a": 1}')


def test_thoughts_are_told_apart_from_the_answer() -> None:
    thinking = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}}
    events = [START, begin({"type": "thinking", "thinking": "So. "}), event(thinking), stop()]
    events += [begin(TEXT, 1), growth("Yes.", 1), stop(1), *end()]
    deltas, completion = read_events(DIALECT, PROMPT, TARGET, events)
    assert deltas == [ReasoningDelta("So. "), ReasoningDelta("Hm."), TextDelta("Yes.")]
    assert (completion.text, completion.reasoning) == ("Yes.", "So. Hm.")


def test_usage_at_the_end_replaces_that_of_the_start_and_is_not_added() -> None:
    usage: dict[str, object] = {"input_tokens": 5, "cache_creation_input_tokens": 4, "output_tokens": 1}
    start = event({"type": "message_start", "message": {"usage": usage}})
    usage = {"input_tokens": 6, "cache_read_input_tokens": 10, "cache_creation_input_tokens": None, "output_tokens": 9}
    _, completion = read_events(DIALECT, PROMPT, TARGET, [start, begin(TEXT), growth("a"), stop(), *end(usage=usage)])
    assert completion.usage == Usage(input_tokens=20, output_tokens=9, cache_read_tokens=10, cache_write_tokens=4)


@pytest.mark.parametrize(
    "usage", [{"output_tokens": -1}, {"output_tokens": 1.5}, {"input_tokens": 4}, {"output_tokens": "9"}]
)
def test_usage_that_is_no_number_or_not_told_at_the_end_is_to_be_estimated(usage: dict[str, object]) -> None:
    _, completion = read_events(DIALECT, PROMPT, TARGET, [*OPENING, growth("a"), stop(), *end(usage=usage)])
    assert completion.usage == Usage(source=UsageSource.ESTIMATED)


def test_a_refusal_midway_is_told_as_one() -> None:
    _, completion = read_events(DIALECT, PROMPT, TARGET, [*OPENING, growth("To begin"), stop(), *end("refusal")])
    assert (completion.text, completion.finish_reason) == ("To begin", FinishReason.REFUSED)
