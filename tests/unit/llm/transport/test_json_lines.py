"""Lines of JSON, however the bytes are cut."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import BadResponseError, ResponseTooLargeError
from rag_engine.llm.transport import JsonLines

_VALUES = st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers() | st.none(), max_size=4)


@given(
    st.lists(_VALUES, max_size=8),
    st.lists(st.integers(0, 10_000), max_size=10),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
)
def test_lines_come_out_as_they_went_in_however_they_are_cut(values: list[object], places: list[int], end: str) -> None:
    raw = "".join(json.dumps(value, ensure_ascii=False) + end for value in values).encode("utf-8", "replace")
    marks = [0, *sorted(place % (len(raw) + 1) for place in places), len(raw)]
    reader = JsonLines()
    lines = [event.data for start, stop in pairwise(marks) for event in reader.feed(raw[start:stop])]
    assert lines == [line.strip("\r") for line in raw.decode().split("\n") if line.strip()]


def test_a_line_that_no_line_end_closes_is_dropped() -> None:
    reader = JsonLines()
    assert [event.data for event in reader.feed(b'{"a": 1}\n{"done": true}')] == ['{"a": 1}']


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    reader = JsonLines()
    events = [event for place in b"\xef\xbb\xbf{}\n" for event in reader.feed(bytes([place]))]
    assert [event.data for event in events] == ["{}"]


@pytest.mark.parametrize("broken", [b"\xff", b"\xe2\x82", b"\xed\xa0\x80"], ids=bytes.hex)
def test_a_line_that_is_not_utf8_is_refused_in_whatever_pieces_it_comes(broken: bytes) -> None:
    raw = b'{"a": "%b"}\n' % broken
    for place in range(len(raw)):
        reader = JsonLines()
        with pytest.raises(BadResponseError, match="not UTF-8"):
            [reader.feed(piece) for piece in (raw[:place], raw[place:])]


@pytest.mark.parametrize("pieces", [[b"x" * 101 + b"\n"], [b"x"] * 101], ids=["one piece", "many"])
def test_a_line_over_the_cap_is_refused(pieces: list[bytes]) -> None:
    reader = JsonLines(max_event_bytes=100)
    with pytest.raises(ResponseTooLargeError, match="100 bytes"):
        [reader.feed(piece) for piece in pieces]
