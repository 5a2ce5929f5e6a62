"""What a reader of a stream sees of failures: nothing before the first event, and afterwards what the policy says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine import errors
from rag_engine.llm.failover_handler import MidStream
from rag_engine.llm.providers.scripted import BrokenOff
from rag_engine.types.generation import (
    Completion,
    CompletionDone,
    CompletionEvent,
    FinishReason,
    Prompt,
    ReasoningDelta,
    StreamRestarted,
    TextDelta,
)
from tests.unit.llm.failover_handler.members import (
    QUESTION,
    HeldModel,
    asked,
    assert_nothing_left,
    complete,
    deployment,
    events_of,
    handler,
    outcomes,
    plan,
    shown,
)

CUT = errors.StalledStreamError("x")


def test_a_failure_before_the_first_event_is_not_seen() -> None:
    first, second = deployment("first", errors.BadResponseError("x")), deployment("second")
    events, error = events_of(handler(), plan(first, second))
    assert error is None
    assert not any(isinstance(event, StreamRestarted) for event in events)
    assert shown(events) == "from second"
    assert isinstance(events[-1], CompletionDone)
    assert outcomes(events[-1].completion) == [("first", "bad_response"), ("second", "stop")]


def test_a_failure_midway_restarts_the_answer_and_says_who_writes_it_and_why() -> None:
    first, second = deployment("first", BrokenOff("half an ans", CUT)), deployment("second")
    events, error = events_of(handler(), plan(first, second))
    assert error is None
    at = events.index(StreamRestarted("maker/second", "stalled_stream"))
    assert shown(events[:at]) == "half an ans"
    assert shown(events) == "from second"
    assert events[-1] == CompletionDone(events[-1].completion)  # type: ignore[union-attr]


def test_thoughts_that_were_shown_are_void_as_well() -> None:
    first = deployment("first", model=_Sequence(ReasoningDelta("hm"), CUT))
    events, _ = events_of(handler(), plan(first, deployment("second")))
    assert events[:2] == [ReasoningDelta("hm"), StreamRestarted("maker/second", "stalled_stream")]


def test_a_buffered_stream_hands_out_nothing_of_what_failed() -> None:
    first, second = deployment("first", BrokenOff("half an ans", CUT)), deployment("second")
    events, error = events_of(handler(mid_stream=MidStream.BUFFER), plan(first, second))
    assert error is None
    assert not any(isinstance(event, StreamRestarted) for event in events)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "from second"


def test_a_buffered_stream_swallows_what_an_inner_route_took_back() -> None:
    done = CompletionDone(Completion("new", "m", FinishReason.STOP))
    first = deployment("first", model=_Sequence(TextDelta("old"), StreamRestarted("m", "x"), TextDelta("new"), done))
    events, _ = events_of(handler(mid_stream=MidStream.BUFFER), plan(first))
    assert [event for event in events if not isinstance(event, CompletionDone)] == [TextDelta("new")]
    events, _ = events_of(handler(), plan(first))
    assert events[1] == StreamRestarted("m", "x")
    assert shown(events) == "new"


def test_a_stream_may_be_told_to_raise_midway() -> None:
    first, second = deployment("first", [errors.ServerError("x"), BrokenOff("half", CUT)]), deployment("second")
    events, error = events_of(handler(mid_stream=MidStream.RAISE), plan(first, second))
    assert error is CUT
    assert shown(events) == "half"
    assert outcomes(error) == [("first", "server"), ("first", "stalled_stream")]
    assert asked(second) == [0]
    assert complete(handler(mid_stream=MidStream.RAISE), plan(deployment("first", BrokenOff("half", CUT)), second))


def test_a_refusal_midway_is_raised_and_not_routed_around() -> None:
    first, second = deployment("first", BrokenOff("half", errors.OutputFilteredError("x"))), deployment("second")
    events, error = events_of(handler(), plan(first, second))
    assert isinstance(error, errors.OutputFilteredError)
    assert asked(second) == [0]
    assert not any(isinstance(event, CompletionDone) for event in events)


def test_a_stream_without_its_last_event_is_no_answer() -> None:
    first = deployment("first", model=_Sequence(TextDelta("half")))
    answer = complete(handler(attempts=1), plan(first, deployment("second")))
    assert answer.text == "from second"
    assert outcomes(answer) == [("first", "incomplete_response"), ("second", "stop")]


def test_a_first_token_that_does_not_come_leads_to_the_next_one_and_ends_the_first_call() -> None:
    silent = HeldModel("maker/silent")
    first, second = deployment("first", model=silent), deployment("second")
    answer = complete(handler(first_token_seconds=0.05), plan(first, second))
    assert outcomes(answer) == [("first", "first_byte_timeout"), ("second", "stop")]
    assert (silent.open, silent.cancelled) == (0, 1)
    assert first.breaker.health().failures == 1


def test_where_there_is_nobody_else_a_first_token_may_take_its_time() -> None:
    async def ask() -> Completion:
        silent = HeldModel()
        asking = asyncio.ensure_future(
            handler(first_token_seconds=0.01).complete(QUESTION, plan(deployment("first", model=silent)))
        )
        await asyncio.sleep(0.2)
        assert not asking.done()
        silent.begin.set()
        silent.go_on.set()
        return await asking

    assert asyncio.run(ask()).text == "held text"


def test_a_model_that_minds_no_deadline_is_cut_at_it() -> None:
    for began in (False, True):
        silent = HeldModel(holds=None)
        if began:
            silent.begin.set()
        events, error = events_of(handler(deadline_seconds=0.1), plan(deployment("first", model=silent)))
        assert isinstance(error, errors.DeadlineExceededError)
        assert outcomes(error) == [("first", "deadline_exceeded")]
        assert len(events) == began
        assert silent.open == 0


def test_a_reader_that_stops_leaves_no_call_behind() -> None:
    async def read() -> None:
        held = HeldModel()
        held.begin.set()
        first = deployment("first", model=held)
        events = handler().stream(QUESTION, plan(first))
        assert await anext(events) == TextDelta("held")
        await events.aclose()  # type: ignore[attr-defined]
        assert (held.open, held.cancelled, first.load.under_way) == (0, 1, 0)
        assert first.breaker.health().calls == 0
        assert_nothing_left()

    asyncio.run(read())


def test_a_reader_that_takes_its_time_is_not_the_models_fault() -> None:
    async def read() -> list[CompletionEvent]:
        events = []
        async for event in handler(first_token_seconds=0.05).stream(
            QUESTION, plan(deployment("first"), deployment("second"))
        ):
            await asyncio.sleep(0.1)
            events.append(event)
        return events

    assert shown(asyncio.run(read())) == "from first"


_FAULTS = [errors.StalledStreamError, errors.IncompleteResponseError, errors.ServerError, errors.BadResponseError]
_ANSWERS = st.one_of(
    st.text("ab c", max_size=12),
    st.builds(lambda text, fault: BrokenOff(text, fault("x")), st.text("xyz", max_size=12), st.sampled_from(_FAULTS)),
    st.sampled_from(_FAULTS).map(lambda fault: fault("x")),
)


@settings(max_examples=150, deadline=None)
@given(
    scripts=st.lists(st.lists(_ANSWERS, min_size=3, max_size=3), min_size=1, max_size=4),
    mode=st.sampled_from(MidStream),
)
def test_wherever_streams_fail_the_reader_has_the_whole_answer_or_an_error(scripts: Any, mode: MidStream) -> None:
    deployments = [deployment(f"d{number}", list(script)) for number, script in enumerate(scripts)]
    events, error = events_of(handler(attempts=3, mid_stream=mode), plan(*deployments))
    calls = sum(asked(*deployments))
    if error is None:
        done = events[-1]
        assert isinstance(done, CompletionDone)
        assert shown(events) == done.completion.text
        assert sum(isinstance(event, CompletionDone) for event in events) == 1
        told = done.completion.attempts
    else:
        assert isinstance(error, errors.LanguageModelError)
        assert not any(isinstance(event, CompletionDone) for event in events)
        told = error.attempts
    assert len(told) == calls
    if mode is not MidStream.RESTART:
        assert not any(isinstance(event, StreamRestarted) for event in events)
    assert all(one.load.under_way == 0 for one in deployments)


class _Sequence:
    """Streams these events; raises those that are errors."""

    name = "maker/sequence"

    def __init__(self, *events: CompletionEvent | Exception) -> None:
        self._events = events

    async def complete(self, prompt: Prompt) -> Completion:
        raise NotImplementedError

    async def stream(self, _: Prompt) -> AsyncIterator[CompletionEvent]:
        for event in self._events:
            if isinstance(event, Exception):
                raise event
            yield event
