"""Errors that stand beside the events of a stream are read, and nothing else changes."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.providers.unframed_json import LONGEST, UnframedJson
from rag_engine.llm.transport import EventStream, ServerEvent

STREAMS = sorted((Path(__file__).parents[3] / "golden" / "streams").glob("*.sse"))
ERROR = {"error": {"code": 503, "message": "Überlast: {[", "status": "UNAVAILABLE"}}
EVENT = b'data: {"a": 1}\n\n'


def read(*pieces: bytes) -> list[ServerEvent]:
    reader = UnframedJson(EventStream())
    return [event for piece in pieces for event in reader.feed(piece)]


def cut(raw: bytes, ends: set[int]) -> list[bytes]:
    places = [0, *sorted(ends), len(raw)]
    return [raw[start:end] for start, end in itertools.pairwise(places)]


@given(data=st.data())
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_without_such_json_it_reads_what_the_event_stream_reads(path: Path, data: st.DataObject) -> None:
    raw = path.read_bytes()
    pieces = cut(raw, data.draw(st.sets(st.integers(0, len(raw)), max_size=20)))
    events = EventStream()
    assert read(*pieces) == [event for piece in pieces for event in events.feed(piece)]


@given(
    indent=st.sampled_from([None, 2]),
    wrapped=st.booleans(),
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    tail=st.sampled_from([b"", b"\n", b"\r\n", b"\n\n"]),
    data=st.data(),
)
def test_an_error_is_an_event_however_it_is_written_and_cut(
    indent: int | None, wrapped: bool, line_end: bytes, tail: bytes, data: st.DataObject
) -> None:
    error = [ERROR] if wrapped else ERROR
    report = json.dumps(error, indent=indent, ensure_ascii=False).encode()
    raw = EVENT.replace(b"\n", line_end) + report.replace(b"\n", line_end) + tail
    first, second = read(*cut(raw, data.draw(st.sets(st.integers(0, len(raw)), max_size=20))))
    assert first == ServerEvent("", '{"a": 1}')
    assert json.loads(second.data) == error


def test_an_error_alone_is_an_event() -> None:
    (event,) = read(json.dumps(ERROR, indent=2).encode())
    assert json.loads(event.data) == ERROR


def test_events_go_on_behind_it() -> None:
    assert read(b'{"b": 2}\n{"c": 3}\n\n' + EVENT) == [
        ServerEvent("", '{"b": 2}'),
        ServerEvent("", '{"c": 3}'),
        ServerEvent("", '{"a": 1}'),
    ]


def test_a_thousand_of_them_in_one_piece_are_a_thousand_events() -> None:
    assert read(b"{}\n" * 3000) == [ServerEvent("", "{}")] * 3000


def test_json_that_does_not_end_is_no_event_and_swallows_no_memory() -> None:
    reader = UnframedJson(EventStream())
    assert not reader.feed(b'{"error": "')
    assert not any(reader.feed(b"x" * 1000 + b"}") for _ in range(1000))
    assert len(reader._json or b"") < 2 * LONGEST
