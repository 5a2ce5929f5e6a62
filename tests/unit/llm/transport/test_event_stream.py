"""Server-sent events, against a slow reading of the standard's text, however the bytes are cut."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import BadResponseError, ResponseTooLargeError
from rag_engine.llm.transport import EventStream, ServerEvent

GOLDEN = (
    b'data: {"a": 1}\n\ndata: {"a": 2}\n\ndata: [DONE]\n\n',
    b'event: message_start\r\ndata: {"type": "message_start"}\r\n\r\nevent: ping\r\ndata: {}\r\n\r\n',
    b"\xef\xbb\xbfdata: one\rdata: two\r\rdata\n\n: comment\n\ndata:\n\ndata:  two spaces\n\nid: 7\nretry: 10\n\n",
    "data: Grüße 🎉 ユニコード\r\n\r\nevent: 中\ndata: x\n\n".encode(),
    b"data: \xe2\x82\xac\n\n: \xff\xfe is only a comment\n\nevent: only a name\n\ndata: left over",
    b"\n\n\r\n\r\rdata: a\n\r\ndata: b\r\n\n\ndatax: no\ndata : no\n\n\xef\xbb\xbfdata: no mark here\n\n",
)


def by_the_text(raw: bytes) -> list[ServerEvent]:
    """WHATWG HTML 9.2.5 and 9.2.6, character by character, without regard for time."""
    text = raw.decode("utf-8", "replace")
    if text.startswith("\ufeff"):
        text = text[1:]
    lines, line, position = [], "", 0
    while position < len(text):
        character = text[position]
        if character in "\r\n":
            lines.append(line)
            line = ""
            if text[position : position + 2] == "\r\n":
                position += 1
        else:
            line += character
        position += 1
    events, data, name = [], "", ""
    for line in lines:
        if line == "":
            if data != "":
                events.append(ServerEvent(name, data[:-1] if data.endswith("\n") else data))
            data, name = "", ""
        elif line.startswith(":"):
            continue
        else:
            field, colon, value = line.partition(":")
            if colon and value.startswith(" "):
                value = value[1:]
            if field == "event":
                name = value
            elif field == "data":
                data += value + "\n"
    return events


def read(pieces: Iterable[bytes], stream: EventStream | None = None) -> list[ServerEvent]:
    stream = stream or EventStream()
    return [event for piece in pieces for event in stream.feed(piece)]


def cut(raw: bytes, places: Iterable[int]) -> list[bytes]:
    marks = [0, *sorted(place % (len(raw) + 1) for place in places), len(raw)]
    return [raw[start:end] for start, end in pairwise(marks)]


@pytest.mark.parametrize("raw", GOLDEN)
def test_golden_bytes_read_as_the_standard_says_whatever_two_places_they_are_cut_at(raw: bytes) -> None:
    expected = by_the_text(raw)
    assert expected
    for first in range(len(raw) + 1):
        assert read(cut(raw, [first])) == expected
        assert read(cut(raw, [first, first + 1])) == expected
        assert read(cut(raw, [first, first * 7 + 3])) == expected
    assert read([raw[place : place + 1] for place in range(len(raw))]) == expected


@pytest.mark.parametrize("raw", GOLDEN)
def test_a_stream_cut_off_anywhere_gives_the_first_events_and_no_part_of_one(raw: bytes) -> None:
    whole = by_the_text(raw)
    for end in range(len(raw)):
        events = read([raw[:end]])
        assert events == whole[: len(events)]


_TOKENS = st.sampled_from(
    [
        b"data", b"event", b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"data: ", b"x",
        b"\xef\xbb\xbf", b"\xe2\x82\xac", b"\xff", b"\xe2",
    ]
)  # fmt: skip


@given(st.lists(_TOKENS, max_size=40).map(b"".join), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_bytes_read_as_the_standard_says_or_are_refused_however_they_are_cut(raw: bytes, places: list[int]) -> None:
    try:
        events = read(cut(raw, places))
    except BadResponseError:
        with pytest.raises(UnicodeDecodeError):
            raw.decode()
    else:
        assert events == by_the_text(raw)


@given(st.binary(max_size=60), st.lists(st.integers(0, 10_000), max_size=6))
def test_no_event_holds_a_character_that_was_not_sent(raw: bytes, places: list[int]) -> None:
    try:
        events = read(cut(raw, places))
    except BadResponseError:
        return
    for event in events:
        assert all(part.encode() in raw for part in (event.name, *event.data.split("\n")))


@pytest.mark.parametrize("broken", [b"\xff", b"\xe2\x82", b"\xed\xa0\x80", b"\xc0\xaf"], ids=bytes.hex)
@pytest.mark.parametrize("form", [b"data: a%bb\n\n", b"event: a%bb\n\n", b"data: one\r\ndata: %b\r\n\r\n"])
def test_an_event_that_is_not_utf8_is_refused_in_whatever_pieces_it_comes(form: bytes, broken: bytes) -> None:
    raw = form % broken
    for place in range(len(raw)):
        with pytest.raises(BadResponseError, match="not UTF-8") as raised:
            read(cut(raw, [place]))
        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__


def steps_taken(pieces: list[bytes]) -> int:
    """Lines of the reader that are run, and bytes that it joins: work, not time."""
    stream = EventStream()
    count = 0

    def trace(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        for piece in pieces:
            stream.feed(piece)
    finally:
        sys.settrace(None)
    return count


@pytest.mark.parametrize("piece", [b"x", b"data: x\n\n", b"data: x\n", b"\r"], ids=repr)
def test_work_grows_with_the_pieces_and_not_with_their_square(piece: bytes) -> None:
    few, many = steps_taken([piece] * 2_000), steps_taken([piece] * 20_000)
    assert many <= 10.5 * few


def test_a_line_in_a_hundred_thousand_pieces_is_put_together_once() -> None:
    pieces = [b"data: ", *[b"x"] * 100_000, b"\n\n"]
    joined: list[int] = []

    class Watched(EventStream):
        def _read(self, line: bytes, events: list[ServerEvent]) -> None:
            joined.append(len(line))
            super()._read(line, events)

    stream = Watched()
    events = [event for piece in pieces for event in stream.feed(piece)]
    assert [len(event.data) for event in events] == [100_000]
    assert sum(joined) <= 2 * 100_006


@pytest.mark.parametrize(
    "pieces",
    [[b"data: " + b"x" * 200 + b"\n\n"], [b"x"] * 200, [b"data: 123456789\n"] * 20, [b"data: " + b"y" * 200 + b"\n"]],
)
def test_an_event_over_the_cap_is_refused_before_it_ends(pieces: list[bytes]) -> None:
    stream = EventStream(max_event_bytes=100)
    with pytest.raises(ResponseTooLargeError, match="100 bytes"):
        read(pieces, stream)


def test_the_cap_is_on_one_event_and_not_on_the_stream() -> None:
    stream = EventStream(max_event_bytes=100)
    pieces = [b"data: " + b"x" * 50 + b"\n\n", b"data: abc\ndata: d", b"ef\n\n"] * 100
    assert sum(len(stream.feed(piece)) for piece in pieces) == 200
