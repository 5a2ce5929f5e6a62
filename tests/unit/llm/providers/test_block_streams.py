"""Streams of blocks, Anthropic's and Cohere's: what holds of both whatever their events are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pytest

from rag_engine.errors import BadResponseError, IncompleteResponseError
from rag_engine.llm.providers.dialect import Dialect, ReportedFault, Target
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.generation import Completion, CompletionEvent, Prompt
from tests.unit.llm.providers import anthropic_events, cohere_events
from tests.unit.llm.providers.wire_damage import read_events

PROMPT = Prompt.plain("Why?")


@dataclass(frozen=True)
class Wire:
    """How one of them begins a text, goes on with it and ends it, and how it says an error."""

    dialect: Dialect
    target: Target
    opening: Sequence[ServerEvent]
    closing: Sequence[ServerEvent]
    error: ServerEvent
    growth: Callable[[str], ServerEvent]

    def read(self, events: Iterable[ServerEvent]) -> tuple[list[CompletionEvent], Completion]:
        """What becomes of these events."""
        return read_events(self.dialect, PROMPT, self.target, events)


@pytest.fixture(params=[anthropic_events, cohere_events], ids=["anthropic", "cohere"])
def wire(request: pytest.FixtureRequest) -> Wire:
    of = request.param
    return Wire(of.DIALECT, of.TARGET, of.OPENING, of.CLOSING, of.ERROR, of.growth)


def test_a_hundred_thousand_pieces_make_one_text(wire: Wire) -> None:
    events = [*wire.opening, *(wire.growth(str(number % 10)) for number in range(100_000)), *wire.closing]
    deltas, completion = wire.read(events)
    assert len(deltas) == 100_000
    assert completion.text == "0123456789" * 10_000


def test_what_comes_behind_the_end_is_not_read(wire: Wire) -> None:
    assembler = wire.dialect.assembler(PROMPT, wire.target)
    for one in [*wire.opening, wire.growth("Yes."), *wire.closing]:
        assert not assembler.ended
        assembler.feed(one)
    assert assembler.ended
    for behind in (wire.growth("No."), ServerEvent("", "no JSON"), wire.error, *wire.closing):
        assert list(assembler.feed(behind)) == []
    assert assembler.completion().text == "Yes."


def test_events_that_the_interface_does_not_name_are_passed_over(wire: Wire) -> None:
    others = [
        ServerEvent("ping", '{"type": "ping"}'),
        ServerEvent("brand-new", '{"type": "brand-new"}'),
        ServerEvent("heartbeat", "ok"),
        ServerEvent("", "[DONE]"),
    ]
    _, completion = wire.read([*wire.opening, *others, wire.growth("Yes."), *others, *wire.closing])
    assert completion.text == "Yes."


def test_an_error_in_the_stream_is_reported_as_the_provider_says_it(wire: Wire) -> None:
    with pytest.raises(ReportedFault) as raised:
        wire.read([*wire.opening, wire.growth("Yes"), wire.error])
    assert raised.value.message == "Overloaded"


def test_an_error_that_is_plain_text_is_reported_too(wire: Wire) -> None:
    with pytest.raises(ReportedFault) as raised:
        wire.read([*wire.opening, ServerEvent("error", "upstream gone")])
    assert raised.value.message == "upstream gone"


def test_an_error_without_a_type_is_reported_too(wire: Wire) -> None:
    with pytest.raises(ReportedFault) as raised:
        wire.read([ServerEvent("", '{"error": {"message": "no"}}')])
    assert raised.value.message == "no"


@pytest.mark.parametrize("data", ["", "{", "[]", "null", '"text"', '{"type": 7}', '{"type": ["a"]}', "[" * 100_000])
def test_an_event_that_is_no_object_of_json_is_never_skipped(wire: Wire, data: str) -> None:
    with pytest.raises(BadResponseError) as raised:
        wire.read([*wire.opening, wire.growth("Yes"), ServerEvent("", data), *wire.closing])
    assert (raised.value.provider, raised.value.model) == (wire.target.provider, wire.target.model)


def test_half_a_character_is_no_text(wire: Wire) -> None:
    with pytest.raises(BadResponseError):
        wire.read([*wire.opening, wire.growth("\ud83d"), *wire.closing])


def test_nothing_at_all_is_no_answer(wire: Wire) -> None:
    for events in ([], [ServerEvent("", "[DONE]")], [*wire.opening], [*wire.opening, wire.growth("Yes.")]):
        with pytest.raises(IncompleteResponseError):
            wire.read(events)


def test_an_answer_that_is_done_and_empty_is_none(wire: Wire) -> None:
    with pytest.raises(BadResponseError):
        wire.read([*wire.opening, *wire.closing])
