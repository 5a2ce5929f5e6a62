"""The soak sees what is wrong: wrong answers, doubled text, attempts that are not told, and what is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from array import array
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.routing.soak import Sample, ledger_against, record_of, short_of
from benchmarks.routing.soak_answers import number_of, prompt_of, stream_events, text_of, whole_body, words_of
from benchmarks.routing.soak_callers import UNTOLD, Callers, Seen
from benchmarks.routing.soak_faults import FAIR, FOUL, Fault, Faults
from benchmarks.routing.soak_leftovers import Held, held, settled, slope
from benchmarks.routing.soak_server import Tally, running_servers
from rag_engine.errors import ProviderFailureError
from rag_engine.ledger.usage import UsageLedger
from rag_engine.llm.providers.scripted import BrokenOff, ScriptedAnswer, ScriptedModel
from rag_engine.types.calls import CallRecord
from rag_engine.types.generation import (
    Attempt,
    Completion,
    CompletionDone,
    CompletionEvent,
    FinishReason,
    Prompt,
    StreamRestarted,
    TextDelta,
)


def answered(prompt: Prompt, text: str | None = None) -> Completion:
    number = int(prompt.call.id)
    attempts = (Attempt("scripted", "stop", 0.0),)
    return Completion(text or text_of(number), "scripted", FinishReason.STOP, attempts=attempts)


def seen_by_callers(answer: object, calls: int = 20) -> Seen:
    model = ScriptedModel(answer)  # type: ignore[arg-type]
    return asyncio.run(Callers(model, calls=calls, share_leaving=0.0).run(4))


def test_right_answers_are_counted_as_such_whole_and_streamed() -> None:
    seen = seen_by_callers(answered)
    assert (seen.answered, seen.streamed, seen.ended) == (20, 10, 20)
    assert (seen.wrong, seen.doubled, seen.examples) == (0, 0, [])
    assert list(seen.told) == [1] * 20


@pytest.mark.parametrize(
    "wrong", [lambda text: text[:-1], lambda text: text + text, lambda _: text_of(99), lambda _: " "]
)
def test_a_cut_a_doubled_and_anothers_answer_are_wrong(wrong: object) -> None:
    seen = seen_by_callers(lambda prompt: answered(prompt, wrong(text_of(int(prompt.call.id)))))  # type: ignore[operator]
    assert seen.wrong == 20


class Streaming:
    """Streams what it is told to."""

    name = "streaming"

    def __init__(self, events: list[CompletionEvent]) -> None:
        self._events = events

    async def complete(self, prompt: Prompt) -> Completion:
        return answered(prompt)

    async def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        for event in self._events:
            yield event


TEXT = text_of(1)
END = CompletionDone(answered(prompt_of(1)))


@pytest.mark.parametrize(
    ("events", "doubled"),
    [
        ([TextDelta(TEXT), END], 0),
        ([TextDelta(TEXT[:5]), StreamRestarted("b", "server"), TextDelta(TEXT), END], 0),
        ([TextDelta(TEXT[:5]), TextDelta(TEXT), END], 1),
        ([TextDelta(TEXT), StreamRestarted("b", "server"), TextDelta(TEXT[5:]), END], 1),
        ([TextDelta(TEXT), END, TextDelta(TEXT)], 2),
    ],
)
def test_text_that_is_told_twice_or_not_at_all_since_the_last_restart_is_seen(
    events: list[CompletionEvent], doubled: int
) -> None:
    seen = asyncio.run(Callers(Streaming(events), calls=2, share_leaving=0.0).run(1))
    assert seen.doubled == doubled


def test_a_stream_without_its_end_is_no_answer() -> None:
    seen = asyncio.run(Callers(Streaming([TextDelta(TEXT)]), calls=2, share_leaving=0.0).run(1))
    assert (seen.wrong, seen.untyped.total()) == (1, 1)


def test_errors_are_told_by_their_codes_and_those_without_type_apart() -> None:
    typed = ProviderFailureError("it failed")
    typed.attempts = (Attempt("scripted", "server", 0.0),) * 2

    def answer(prompt: Prompt) -> ScriptedAnswer:
        return BrokenOff("begun", typed if int(prompt.call.id) < 10 else KeyError("choices"))

    seen = seen_by_callers(answer)
    assert seen.errors == {typed.code: 10}
    assert seen.untyped == {"KeyError": 10}
    assert list(seen.told[:10]) == [2] * 10


def test_who_leaves_is_no_wrong_answer_and_has_nothing_to_tell() -> None:
    model = ScriptedModel(answered, delay=5.0)
    seen = asyncio.run(Callers(model, calls=20, share_leaving=1.0, longest_wait=0.01).run(20))
    assert (seen.cancelled, seen.answered, seen.wrong) == (20, 0, 0)
    assert set(seen.told) == {UNTOLD}


def test_a_row_more_or_less_than_was_told_is_seen(tmp_path: Path) -> None:
    ledger = UsageLedger(tmp_path / "usage.sqlite")
    for call, attempt in ((0, 1), (1, 1), (1, 2), (2, 1), (2, 1)):
        outcome = "server" if call == 1 and attempt == 1 else "stop"
        ledger.record(CallRecord(str(call), attempt, "openai", "m", 0.0, 0.1, outcome))
    ledger.close()
    seen = Seen(told=array("B", [1, 2, 1, 1]), outcomes=Counter({"stop": 3, "server": 1}))

    counted = ledger_against(tmp_path / "usage.sqlite", seen)

    assert (counted["rows"], counted["attempts_told"]) == (5, 5)
    assert counted["questions_that_differ"] == 2  # question 2 has a row too many, question 3 has none
    assert counted["outcomes_that_differ"] == {"stop": 1}
    assert counted["numbered_wrong"] == 1
    with contextlib.closing(sqlite3.connect(tmp_path / "usage.sqlite")) as connection:
        assert connection.execute("select count(*) from attempts").fetchone() == (5,)


def test_what_is_left_behind_is_told_and_what_is_given_back_is_not(tmp_path: Path) -> None:
    async def main() -> None:
        before = held()
        file = (tmp_path / "open").open("w")
        task = asyncio.create_task(asyncio.sleep(60))
        assert held().beyond(before) == Held(1, 1, 0)
        asyncio.get_running_loop().call_later(0.05, task.cancel)
        asyncio.get_running_loop().call_later(0.05, file.close)
        assert await settled(before) == Held(0, 0, 0)

    asyncio.run(main())


def test_a_slope_is_that_of_the_line_through_the_points() -> None:
    assert slope([(x, 3 + 0.5 * x) for x in range(10)]) == pytest.approx(0.5)
    assert slope([(0, 1), (1, 3), (2, 2)]) == pytest.approx(0.5)
    assert slope([]) == slope([(1, 1)]) == slope([(1, 1), (1, 5)]) == 0.0


def test_each_thing_that_must_not_be_is_said_where_it_is() -> None:
    seen = Seen(told=array("B", [1]), ended=1, answered=1)
    rest = {"seconds": 1.0, "tasks": 0, "under_way": 0, "left": Held(0, 0, 0), "complaints": {}}
    ledger = {"rows": 1, "questions_that_differ": 0, "outcomes_that_differ": {}, "numbered_wrong": 0}
    record = record_of(seen, [Sample(1, 40.0, 100, 7.0)], rest, ledger, ([Tally(received=1)], {"none": 1}))
    assert short_of(record) == []
    bad = {
        **{name: 1 for name, value in record.items() if value == 0 and type(value) is int},
        "megabytes_per_100000_calls": 1.5,
        "untyped_errors": {"KeyError": 1},
        "complaints": {"never retrieved": 1},
    }
    for name in ("wrong_or_cut", "doubled", "tasks_left", "files_left", "threads_left", "under_way_at_the_servers"):
        assert name in bad
    for name in ("questions_that_differ", "numbered_wrong", "untyped_errors", "complaints", "calls_unaccounted"):
        assert len(short_of({**record, name: bad[name]})) == 1, name
    assert len(short_of({**record, "megabytes_per_100000_calls": 1.5})) == 1
    assert short_of(record_of(replace(seen, wrong=1), [], rest, ledger, ([Tally()], {}))) == ["wrong_or_cut = 1, not 0"]


def test_the_same_seed_draws_the_same_faults_and_foul_weather_moves() -> None:
    def drawn(seed: int) -> list[Fault]:
        faults = Faults(seed=seed, servers=3, turn_seconds=1.0)
        return [faults.drawn(number % 3, number / 100) for number in range(5000)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert set(drawn(1)) >= set(FAIR) | {Fault.NONE}
    faults = Faults(seed=1, servers=3, turn_seconds=1.0)
    weathers = [faults.foul(turn) for turn in range(60)]
    assert {len(foul) for foul in weathers} == {0, 1, 2, 3}
    assert frozenset[int]().union(*weathers) == {0, 1, 2}
    assert sum(FOUL.values()) < 1000


def test_an_answer_tells_the_question_that_it_answers() -> None:
    assert number_of(b'{"messages":[{"content":"What are the words of [question 417]?"}]}') == 417
    assert number_of(b"{}") is None
    assert len({text_of(number) for number in range(1000)}) == 1000
    assert "".join(words_of(5)) == text_of(5)
    assert text_of(5).encode("unicode_escape")[:4] in whole_body(text_of(5))
    assert len(stream_events(words_of(5))) == len(words_of(5)) + 3


def test_servers_tell_what_is_under_way_and_forget_who_has_gone() -> None:
    async def main() -> None:
        port = int(servers.urls[0].split(":")[2].split("/")[0])
        body = b'{"content":"[question 1]"}'
        statuses = Counter[bytes]()
        for _ in range(200):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            with contextlib.suppress(TimeoutError, asyncio.IncompleteReadError, ConnectionError):
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 0.3)
                statuses[head.split(b" ")[1]] += 1
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await asyncio.wait_for(reader.readexactly(length), 0.3)
            writer.transport.abort()
        assert statuses[b"200"] > 50
        for _ in range(1000):
            tallies, drawn = servers.seen()
            if not sum(tally.connections for tally in tallies):
                break
            await asyncio.sleep(0.01)
        assert [tally.under_way for tally in tallies] == [0, 0, 0]
        assert tallies[0].received == sum(drawn.values()) >= statuses.total()

    with running_servers(3, seed=2) as servers:
        asyncio.run(main())
