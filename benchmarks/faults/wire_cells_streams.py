"""Faults of streams: where they end, how their bytes come, and what stands in them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

from benchmarks.faults.socket_server import Close, Send, Step, Wait, http_head, whole
from benchmarks.faults.wire_cells import MAX_BYTES, NO_ANSWER, Cell, always, cut, json_body, streamed, then
from benchmarks.faults.wire_cells_network import SILENCE
from benchmarks.faults.wire_golden import EVENTS, Errors, Golden
from benchmarks.faults.wire_openai import joined
from rag_engine.errors import (
    BadResponseError,
    ConnectionLostError,
    IncompleteResponseError,
    LanguageModelError,
    ModelTimeoutError,
    ResponseTooLargeError,
)

_lost: Errors = (IncompleteResponseError, ConnectionLostError, BadResponseError)


def ends(golden: Golden) -> Iterator[Cell]:
    """Streams that end too early, in every way a connection can end."""
    pieces, needed = golden.pieces, golden.whole_after
    places = {"first": 1, "quarter": needed // 4, "half": needed // 2, "last": needed - 1}
    yield Cell("nothing", always(streamed(golden, [])), errors=_lost, stream=True)
    for name, place in places.items():
        begun = pieces[:place]
        yield Cell(f"ends_after_{name}", always(streamed(golden, begun)), errors=_lost, stream=True)
        yield Cell(f"cut_after_{name}", always(cut(streamed(golden, begun, end=False))), errors=_lost, stream=True)
        yield Cell(
            f"reset_after_{name}",
            always([*streamed(golden, begun, end=False), Wait(0.02), Close(reset=True)]),
            errors=_lost,
            stream=True,
        )
        head = http_head(200, {"content-type": golden.media_type, "connection": "close"})
        yield Cell(f"closed_after_{name}", always([Send(head + joined(begun)), Close()]), errors=_lost, stream=True)
    for name, size in (("half", len(pieces[needed // 2]) // 2), ("one_byte", 1)):
        begun = (*pieces[: needed // 2], pieces[needed // 2][:size])
        yield Cell(f"ends_within_an_event_{name}", always(streamed(golden, begun)), errors=_lost, stream=True)
    # The last event that is needed, without the line that ends it.
    begun = (*pieces[: needed - 1], pieces[needed - 1].rstrip())
    yield Cell("last_event_without_end", always(streamed(golden, begun)), whole=True, errors=_lost, stream=True)
    for place in range(needed, len(pieces)):
        reply = always(streamed(golden, pieces[:place]))
        yield Cell(f"ends_whole_after_{place}_of_{len(pieces)}", reply, whole=True, stream=True)
    # All of it came, and then the connection broke: what came is whole.
    yield Cell("cut_after_all", always(cut(streamed(golden, pieces, end=False))), whole=True, stream=True, told=True)
    yield Cell(
        "stays_open_after_all", always([*streamed(golden, pieces, end=False), Wait(SILENCE)]), whole=True, stream=True
    )


def paces(golden: Golden) -> Iterator[Cell]:
    """Streams that come too slowly, or not at all."""
    half = golden.pieces[: golden.whole_after // 2]
    timeout: Errors = (ModelTimeoutError,)
    head = streamed(golden, [], end=False)
    beat = b": keep-alive\n\n" if golden.media_type == EVENTS else b"\n"
    beats: list[Step] = [step for _ in range(60) for step in (Send(b"%x\r\n%b\r\n" % (len(beat), beat)), Wait(0.05))]
    yield Cell("no_first_event", always([*head, Wait(SILENCE)]), errors=timeout, stream=True)
    yield Cell("stall", always([*streamed(golden, half, end=False), Wait(SILENCE)]), errors=timeout, stream=True)
    yield Cell("heartbeats_only", always([*head, *beats]), errors=timeout, stream=True)
    yield Cell(
        "heartbeats_after_half", always([*streamed(golden, half, end=False), *beats]), errors=timeout, stream=True
    )
    data = joined(golden.pieces)
    drip: list[Step] = [step for at in range(60) for step in (Send(b"1\r\n%b\r\n" % data[at : at + 1]), Wait(0.05))]
    yield Cell("dripping", always([*head, *drip]), errors=timeout, stream=True)
    late = [*head, Wait(0.3), *streamed(golden, golden.pieces)[1:]]
    yield Cell("first_event_late_but_in_time", always(late), whole=True, stream=True, told=True)


def forms(golden: Golden) -> Iterator[Cell]:
    """The same stream in other bytes: the answer is the same."""
    data = joined(golden.pieces)

    def same(name: str, steps: list[Step]) -> Cell:
        return Cell(name, always(steps), whole=True, stream=True, told=True)

    yield same("untouched", streamed(golden, golden.pieces))
    yield same("one_piece", streamed(golden, [data]))
    yield same("byte_by_byte", streamed(golden, [data[at : at + 1] for at in range(len(data))]))
    yield same("pieces_of_seven", streamed(golden, [data[at : at + 7] for at in range(0, len(data), 7)]))
    yield same("without_chunks", whole(200, data, media_type=golden.media_type))
    yield same("carriage_returns", streamed(golden, [data.replace(b"\n", b"\r\n")]))
    cased = http_head(
        200, {"content-type": f"{golden.media_type.title()}; Charset=UTF-8", "content-length": str(len(data))}
    )
    yield same("media_type_with_charset", [Send(cased + data)])
    packed = gzip.compress(data)
    headers = {"content-type": golden.media_type, "content-encoding": "gzip", "content-length": str(len(packed))}
    yield same("gzip", [Send(http_head(200, headers) + packed)])
    short = http_head(200, headers | {"content-length": str(len(packed) // 2)})
    yield Cell("gzip_cut", always([Send(short + packed[: len(packed) // 2])]), errors=_lost, stream=True)
    yield same("blank_lines_between", streamed(golden, [piece + b"\n" for piece in golden.pieces]))
    if golden.media_type == EVENTS:
        yield same("only_carriage_returns", streamed(golden, [data.replace(b"\n", b"\r")]))
        yield same("comments_between", streamed(golden, [b": ping\n\n" + piece for piece in golden.pieces]))
        yield same("comments_within", streamed(golden, [b": ping\n" + piece for piece in golden.pieces]))
        yield same("byte_order_mark", streamed(golden, [b"\xef\xbb\xbf" + data]))
        yield same("ids_and_retries", streamed(golden, [b"id: 7\nretry: 10\n" + piece for piece in golden.pieces]))
        yield same("without_spaces", streamed(golden, [piece.replace(b"data: ", b"data:") for piece in golden.pieces]))
        yield same("data_over_lines", streamed(golden, [_over_lines(piece) for piece in golden.pieces]))


def events(golden: Golden) -> Iterator[Cell]:
    """Events that do not belong there, are no JSON, or come twice."""
    pieces, middle = golden.pieces, golden.whole_after // 2
    either: Errors = (LanguageModelError,)

    def framed(value: bytes) -> bytes:
        return b"data: " + value + b"\n\n" if golden.media_type == EVENTS else value + b"\n"

    def inserted(
        name: str, event: bytes, *, errors: Errors = NO_ANSWER, right: bool = False, place: int = middle
    ) -> Cell:
        reply = always(streamed(golden, [*pieces[:place], event, *pieces[place:]]))
        return Cell(name, reply, errors=errors, whole=right, stream=True)

    def replaced(name: str, event: bytes) -> Cell:
        reply = always(streamed(golden, [*pieces[:middle], event, *pieces[middle + 1 :]]))
        return Cell(name, reply, errors=_lost, stream=True)

    yield inserted("no_json_between", framed(b"{not JSON"), right=True)
    yield replaced("no_json_in_place", framed(b'{"cut": "'))
    yield replaced("cut_event_in_place", pieces[middle].rstrip()[:-2] + b"\n\n")
    for name, value in (
        ("null", b"null"),
        ("list", b"[]"),
        ("number", b"7"),
        ("text", b'"x"'),
        ("empty_object", b"{}"),
    ):
        yield inserted(f"{name}_between", framed(value), right=True, errors=either)
    yield inserted("page_between", framed(b"<html>502</html>"), right=True)
    yield inserted("error_first", golden.midway, errors=either, place=0)
    yield inserted("error_midway", golden.midway, errors=either)
    yield inserted("error_before_last", golden.midway, errors=either, place=golden.whole_after - 1)
    cut_off = always(streamed(golden, [*pieces[:middle], golden.midway]))
    yield Cell("error_midway_and_end", cut_off, errors=either, stream=True)
    yield Cell(
        "error_first_once",
        then(streamed(golden, [golden.midway]), golden.answer(stream=True)),
        whole=True,
        errors=either,
        stream=True,
    )
    spoilt = [piece.replace(b"Paris", b"Par\xff\xfeis") for piece in pieces]
    yield Cell("not_utf8", always(streamed(golden, spoilt)), errors=NO_ANSWER, stream=True)
    # What comes behind the end is not read, or is a fault; it is never part of the answer.
    yield inserted("more_after_end", pieces[middle], right=True, errors=either, place=len(pieces))
    yield inserted("end_twice", pieces[-1], right=True, errors=either, place=len(pieces))
    yield inserted("garbage_after_end", framed(b"{"), right=True, errors=either, place=len(pieces))
    yield inserted("huge_event", framed(b'"' + b"x" * 2 * MAX_BYTES + b'"'), errors=(ResponseTooLargeError,))
    yield inserted("line_without_end", b"data: " + b"x" * 2 * MAX_BYTES, errors=(ResponseTooLargeError,))
    endless: list[Step] = [Send(b"10000\r\n" + b":" * 0x10000 + b"\r\n")] * 64
    yield Cell(
        "endless",
        always([*streamed(golden, [], end=False), *endless, Wait(SILENCE)]),
        errors=(ResponseTooLargeError,),
        stream=True,
        calls=1,
    )
    # A whole answer where a stream was asked for, and other media.
    yield Cell("whole_to_stream", always(json_body(golden.reply)), whole=True, errors=NO_ANSWER, stream=True)
    yield Cell("error_to_stream", always(json_body(golden.error("x"))), errors=either, stream=True)
    yield Cell(
        "page_to_stream", always(whole(200, b"<html>502</html>", media_type="text/html")), errors=NO_ANSWER, stream=True
    )
    yield Cell("empty_to_stream", always(whole(200, b"", media_type=golden.media_type)), errors=_lost, stream=True)
    plain = always(whole(200, joined(pieces), media_type="text/plain"))
    yield Cell("stream_as_text", plain, whole=True, errors=NO_ANSWER, stream=True)
    yield Cell("stream_to_whole", always(golden.answer(stream=True)), whole=True, errors=NO_ANSWER)


def _over_lines(piece: bytes) -> bytes:
    """The event's JSON over several lines of data."""
    lines: list[str] = []
    for line in piece.decode().split("\n"):
        if line.startswith("data: {"):
            value = json.loads(line.removeprefix("data: "))
            lines += [f"data: {part}" for part in json.dumps(value, indent=1).split("\n")]
        else:
            lines.append(line)
    return "\n".join(lines).encode()
