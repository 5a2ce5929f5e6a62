"""Anthropic's streams, whose parts come out of order, and what they say of thoughts, tools and usage."""

from __future__ import annotations

import pytest

from rag_engine.errors import BadResponseError, IncompleteResponseError
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.generation import FinishReason, ReasoningDelta, TextDelta, Usage, UsageSource
from tests.unit.llm.providers.anthropic_events import (
    CLOSING,
    DIALECT,
    OPENING,
    PROMPT,
    START,
    TARGET,
    TEXT,
    TOOL,
    begin,
    end,
    event,
    growth,
    input_piece,
    stop,
)
from tests.unit.llm.providers.wire_damage import read_events


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
