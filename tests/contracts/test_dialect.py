"""What every dialect must make of a stream, whatever happens to its bytes: the whole answer, or a typed error.

A golden stream of a new provider or dialect in ``tests/golden/streams`` is examined without a word here.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine.errors import IncompleteResponseError, LanguageModelError
from rag_engine.llm.providers.dialect import Dialect, Framing, Target
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.llm.providers.registry import dialect, dialect_names
from rag_engine.llm.providers.unframed_json import UnframedJson
from rag_engine.llm.transport import EventReader, EventStream, JsonLines
from rag_engine.types.generation import Completion, CompletionEvent, Prompt, TextDelta, UsageSource
from tests.golden_streams import golden, golden_names, golden_prompt, golden_target
from tests.unit.llm.providers.wire_damage import assert_consistent

NAMES = golden_names()
ANSWERS = [name for name in NAMES if "error" not in golden(name)[1]]
# One stream a dialect whose text comes in plain pieces, to be made as long as one likes.
LONG = ("openai-text", "anthropic-text", "google-text", "cohere-text", "ollama-text")
MANY = 100_000


@cache
def taken(name: str) -> tuple[bytes, dict[str, Any], Dialect, Prompt, Target]:
    raw, facts = golden(name)
    return raw, facts, dialect(provider_data(facts["provider"]).dialect), golden_prompt(facts), golden_target(facts)


def reader_of(spoken: Dialect) -> EventReader:
    return UnframedJson(EventStream()) if spoken.framing is Framing.SERVER_SENT_EVENTS else JsonLines()


def read(name: str, pieces: Iterable[bytes]) -> tuple[list[CompletionEvent], Completion]:
    """As a model reads what comes: nothing behind the end."""
    _, _, spoken, prompt, target = taken(name)
    reader, assembler = reader_of(spoken), spoken.assembler(prompt, target)
    deltas: list[CompletionEvent] = []
    for piece in pieces:
        for event in reader.feed(piece):
            if assembler.ended:
                break
            deltas += assembler.feed(event)
    return deltas, assembler.completion()


def text_of(deltas: Iterable[CompletionEvent]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


def assert_whole(completion: Completion, facts: dict[str, Any], *, usage_told: bool = True) -> None:
    """The answer that the facts say; without ``usage_told`` its usage may be one that is still to be estimated."""
    assert completion.text == facts["text"]
    assert completion.reasoning == facts.get("reasoning", "")
    assert completion.finish_reason == facts["finish_reason"]
    assert len(completion.tool_calls) == len(facts["tool_calls"])
    for call, told in zip(completion.tool_calls, facts["tool_calls"], strict=True):
        as_text = isinstance(told["arguments"], str)
        said = {"arguments": call.arguments if as_text else json.loads(call.arguments)}
        assert {name: said.get(name, getattr(call, name)) for name in told} == told
    assert [[one.marker, one.start, one.end] for one in completion.quotations] == facts.get("quotations", [])
    assert [[one.start, one.end, one.marker] for one in completion.cited] == facts.get("cited", [])
    if usage_told or completion.usage.source is UsageSource.REPORTED:
        assert {name: getattr(completion.usage, name) for name in facts["usage"]} == facts["usage"]


def assert_read(name: str, pieces: list[bytes]) -> None:
    """A whole stream says what its facts say, however it comes."""
    facts = taken(name)[1]
    if "error" in facts:
        with pytest.raises(LanguageModelError) as raised:
            read(name, pieces)
        assert raised.value.code == facts["error"]
    else:
        deltas, completion = read(name, pieces)
        assert_whole(completion, facts)
        assert_consistent(deltas, completion)


def test_every_dialect_and_every_speaker_of_one_is_recorded_more_than_once() -> None:
    assert {spoken for name in NAMES if (spoken := provider_data(golden(name)[1]["provider"]).dialect)} == set(
        dialect_names()
    )
    assert min(Counter(name.partition("-")[0] for name in NAMES).values()) > 1


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_says_what_was_recorded_with_it(name: str) -> None:
    assert_read(name, [taken(name)[0]])


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_that_comes_byte_by_byte_says_the_same(name: str) -> None:
    assert_read(name, [bytes([byte]) for byte in taken(name)[0]])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_stream_split_at_random_says_exactly_the_same(name: str, data: st.DataObject) -> None:
    raw = taken(name)[0]
    cuts = sorted({0, len(raw), *data.draw(st.lists(st.integers(0, len(raw)), max_size=60))})
    assert_read(name, [raw[start:end] for start, end in itertools.pairwise(cuts)])


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_cut_at_any_byte_is_the_whole_answer_or_a_typed_error(name: str) -> None:
    """Not before its end is it whole, and with more of it never less than that."""
    raw, facts = taken(name)[:2]
    finished = 0
    for cut in range(len(raw)):
        failure: LanguageModelError | None = None
        try:
            deltas, completion = read(name, [raw[:cut]])
        except LanguageModelError as error:
            failure = error
        if failure is not None:
            # What was cut lacks its end, and is nothing else; a filter's verdict needs no end.
            assert isinstance(failure, IncompleteResponseError) or failure.code == facts.get("error"), cut
            assert not finished, f"whole with {cut - 1} bytes, and not with {cut}"
            continue
        finished += 1
        assert "error" not in facts
        assert_whole(completion, facts, usage_told=False)
        assert text_of(deltas) == facts["text"]
    # The end of the answer is told behind its text.
    assert finished < len(raw) / 2


@pytest.mark.parametrize("name", ANSWERS)
def test_what_was_handed_out_of_a_stream_that_breaks_off_begins_the_answer(name: str) -> None:
    raw, facts, spoken, prompt, target = taken(name)
    reader, assembler = reader_of(spoken), spoken.assembler(prompt, target)
    handed_out = ""
    for byte in raw:
        for event in reader.feed(bytes([byte])):
            handed_out += "" if assembler.ended else text_of(assembler.feed(event))
            assert facts["text"].startswith(handed_out)
    assert handed_out == facts["text"]


def long_stream(name: str, *, times: int, grown_to: int = 0) -> tuple[list[bytes], str]:
    """The golden stream with one of its pieces of text so many times, an event a piece; and its text. ``grown_to``
    makes that piece so many letters long."""
    raw, facts, spoken, prompt, target = taken(name)
    end = b"\n\n" if spoken.framing is Framing.SERVER_SENT_EVENTS else b"\n"
    blocks = [block + end for block in raw.replace(b"\r\n", b"\n").split(end) if block]
    reader, assembler = reader_of(spoken), spoken.assembler(prompt, target)
    texts = [text_of(delta for event in reader.feed(block) for delta in assembler.feed(event)) for block in blocks]
    assert "".join(texts) == facts["text"]
    # A word in the middle: the first and the last event of some dialects say more than their text.
    words = [place for place, text in enumerate(texts) if len(text) > 2]
    place = words[len(words) // 2]
    block, text = blocks[place], texts[place]
    if grown_to:
        quoted = json.dumps(text, ensure_ascii=False).encode()
        assert block.count(quoted) == 1
        text = "x" * grown_to
        block = block.replace(quoted, json.dumps(text).encode())
    whole = "".join(texts[:place]) + text * times + "".join(texts[place + 1 :])
    return [*blocks[:place], *[block] * times, *blocks[place + 1 :]], whole


@pytest.mark.parametrize("name", LONG)
def test_a_hundred_thousand_events_make_one_text_in_time_that_grows_with_them(name: str) -> None:
    def seconds(times: int) -> float:
        pieces, text = long_stream(name, times=times)
        began = time.process_time()
        deltas, completion = read(name, pieces)
        taken_seconds = time.process_time() - began
        assert completion.text == text == text_of(deltas)
        return taken_seconds

    # A hundred times as many events: their square would take ten thousand times as long.
    few, many = seconds(MANY // 100), seconds(MANY)
    assert many < 1000 * few


@pytest.mark.parametrize("name", LONG)
def test_an_event_in_a_hundred_thousand_pieces_is_one_event_in_time_that_grows_with_them(name: str) -> None:
    def seconds(size: int) -> float:
        pieces, text = long_stream(name, times=1, grown_to=size)
        data = [bytes([byte]) for byte in b"".join(pieces)]
        began = time.process_time()
        deltas, completion = read(name, data)
        taken_seconds = time.process_time() - began
        assert completion.text == text == text_of(deltas)
        assert len(text) > size
        return taken_seconds

    assert seconds(MANY) < 1000 * seconds(MANY // 100)


@pytest.mark.parametrize("name", LONG)
def test_the_work_for_an_event_does_not_grow_with_what_came_before(name: str) -> None:
    def steps(times: int) -> int:
        pieces, _ = long_stream(name, times=times)
        count = 0

        def trace(frame: object, event: str, argument: object) -> object:
            nonlocal count
            count += event == "line"
            return trace

        sys.settrace(trace)
        try:
            read(name, pieces)
        finally:
            sys.settrace(None)
        return count

    assert steps(4_000) <= 10.5 * steps(400)


@pytest.mark.parametrize("name", LONG)
def test_the_memory_for_a_stream_is_that_of_its_text(name: str) -> None:
    """Beside the text, which is kept in pieces until it is whole: nothing of the events that brought it."""
    pieces, text = long_stream(name, times=MANY // 5)
    _, _, spoken, prompt, target = taken(name)
    tracemalloc.start()
    try:
        reader, assembler = reader_of(spoken), spoken.assembler(prompt, target)
        for piece in pieces:
            for event in reader.feed(piece):
                if not assembler.ended:
                    assembler.feed(event)
        completion = assembler.completion()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert completion.text == text
    # A short string and its place in a list; an event itself has a few hundred bytes.
    assert peak < 100 * len(pieces) + 4 * len(text) + (1 << 17)
