"""Cohere's streams, whose parts come out of order, and what they say of thoughts, tools and usage."""

from __future__ import annotations

import pytest

from rag_engine.errors import BadResponseError, IncompleteResponseError
from rag_engine.llm.providers.dialect import ReportedFault
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.generation import FinishReason, ReasoningDelta, TextDelta, Usage, UsageSource
from tests.unit.llm.providers.cohere_events import (
    CLOSING,
    DIALECT,
    OPENING,
    PROMPT,
    START,
    TARGET,
    begin,
    call,
    call_piece,
    end,
    growth,
    part,
    stop,
)
from tests.unit.llm.providers.wire_damage import read_events


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
