"""Faults of the way: connections, heads, bodies that do not come as they were announced, callers who leave."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator

from benchmarks.faults.socket_server import Close, Send, Step, Wait, http_head, whole
from benchmarks.faults.wire_cells import (
    MAX_BYTES,
    MAX_HEADER_BYTES,
    NO_ANSWER,
    Act,
    Cell,
    Place,
    always,
    cut,
    streamed,
    then,
)
from benchmarks.faults.wire_golden import Golden
from benchmarks.faults.wire_openai import as_json
from rag_engine.errors import (
    BadResponseError,
    ConnectionLostError,
    ConnectionRefusedByHostError,
    IncompleteResponseError,
    ModelConnectionError,
    ModelTimeoutError,
    NameResolutionError,
    ProxyError,
    RedirectError,
    ResponseTooLargeError,
    TlsError,
)

SILENCE = 5.0
_lost = (ConnectionLostError, IncompleteResponseError)
_garbled = (BadResponseError, IncompleteResponseError, ConnectionLostError)


def network(golden: Golden) -> Iterator[Cell]:
    """Connections."""
    whole_answer, whole_stream = golden.answer(stream=False), golden.answer(stream=True)
    silent = always([Wait(SILENCE)])
    yield Cell(
        "refused", silent, errors=(ConnectionRefusedByHostError,), place=Place.REFUSED, at_least=0, counted=False
    )
    yield Cell(
        "no_name",
        silent,
        errors=(NameResolutionError, ModelTimeoutError),
        place=Place.NO_NAME,
        at_least=0,
        counted=False,
    )
    yield Cell(
        "untrusted_certificate", silent, errors=(TlsError,), place=Place.UNTRUSTED, at_least=0, calls=0, counted=False
    )
    yield Cell(
        "tls_to_plain",
        silent,
        errors=(ModelConnectionError, ModelTimeoutError),
        place=Place.PLAIN,
        at_least=0,
        counted=False,
    )
    yield Cell(
        "proxy_refuses",
        always(whole(407, b"", proxy_authenticate="Basic")),
        errors=(ProxyError,),
        place=Place.PROXY,
        calls=1,
        counted=False,
    )
    for status in (301, 302, 307, 308):
        yield Cell(
            f"redirect_{status}",
            always(whole(status, b"", location="ELSEWHERE")),
            errors=(RedirectError,),
            place=Place.ELSEWHERE,
            calls=1,
        )
    yield Cell("silence", silent, errors=(ModelTimeoutError,))
    yield Cell("silence_to_stream", silent, errors=(ModelTimeoutError,), stream=True)
    yield Cell("closed_before_head", always([Close()]), errors=_lost)
    yield Cell("reset_before_head", always([Close(reset=True)]), errors=_lost)
    yield Cell("closed_before_head_once", then([Close()], whole_answer), whole=True, at_least=2, calls=2)
    yield Cell("reset_before_head_once", then([Close(reset=True)], whole_answer), whole=True, at_least=2, calls=2)
    yield Cell(
        "reset_before_stream_once",
        then([Close(reset=True)], whole_stream),
        whole=True,
        stream=True,
        at_least=2,
        calls=2,
    )
    # The first call's connection is closed while it lies idle: the second finds that out, which is no attempt.
    yield Cell(
        "idle_connection_closed",
        lambda _request, _number: [*whole_answer, Wait(0.02), Close()],
        whole=True,
        act=Act.ASK_TWICE,
        at_least=2,
        calls=2,
        told=True,
        counted=False,
    )
    yield Cell("given_up_before_head", silent, act=Act.CANCEL, calls=1)
    yield Cell(
        "given_up_in_body",
        always(
            [Send(http_head(200, {"content-type": "application/json", "content-length": "999"}) + b"{"), Wait(SILENCE)]
        ),
        act=Act.CANCEL,
        calls=1,
    )
    yield Cell(
        "given_up_in_stream",
        always([*streamed(golden, golden.pieces[:3], end=False), Wait(SILENCE)]),
        stream=True,
        act=Act.CANCEL,
        calls=1,
    )
    yield Cell(
        "left_in_stream",
        always([*streamed(golden, golden.pieces[:5], end=False), Wait(SILENCE)]),
        stream=True,
        act=Act.LEAVE,
        calls=1,
    )


def heads(golden: Golden) -> Iterator[Cell]:
    """Heads of answers."""
    data = as_json(golden.reply)

    def headed(*lines: bytes, body: bytes = data, first: bytes = b"HTTP/1.1 200 OK") -> list[Step]:
        return [Send(b"\r\n".join([first, b"content-type: application/json", *lines, b"", body])), Close()]

    length = b"content-length: %d" % len(data)
    yield Cell("garbage_head", always(cut([Send(b"\x00\xff garbage\r\n\r\n")])), errors=_garbled)
    yield Cell("cut_head", always(cut([Send(b"HTTP/1.1 200 OK\r\ncontent-ty")])), errors=_garbled)
    yield Cell(
        "huge_header",
        always(headed(b"x-long: " + b"a" * 4 * MAX_HEADER_BYTES, length)),
        errors=(ResponseTooLargeError, BadResponseError),
    )
    many = [b"x-%d: %s" % (number, b"a" * 1000) for number in range(4 * MAX_HEADER_BYTES // 1000)]
    yield Cell("many_headers", always(headed(*many, length)), errors=(ResponseTooLargeError, BadResponseError))
    yield Cell(
        "dripping_head", always(_dripping(b"HTTP/1.1 200 OK\r\nx-long: " + b"a" * 99)), errors=(ModelTimeoutError,)
    )
    yield Cell("two_lengths", always(headed(length, b"content-length: 5")), errors=_garbled)
    yield Cell("negative_length", always(headed(b"content-length: -1")), errors=_garbled)
    yield Cell("length_no_number", always(headed(b"content-length: many")), errors=_garbled)
    yield Cell("http_1_0", always(headed(first=b"HTTP/1.0 200 OK")), whole=True, told=True)
    yield Cell("without_length", always(headed(b"connection: close")), whole=True, told=True)
    early = b"HTTP/1.1 100 Continue\r\n\r\n"
    yield Cell("continue_first", always([Send(early), *whole(200, data)]), whole=True, told=True)
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    yield Cell("early_hints_first", always([Send(hints), *whole(200, data)]), whole=True, told=True)
    yield Cell(
        "switching_protocols", always(cut([Send(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n")])), errors=_garbled
    )


def lengths(golden: Golden) -> Iterator[Cell]:
    """Bodies that do not come as they were announced."""
    data = as_json(golden.reply)
    half = len(data) // 2

    def sized(size: int, sent: bytes, **headers: str) -> list[Step]:
        return [
            Send(http_head(200, {"content-type": "application/json", "content-length": str(size), **headers}) + sent)
        ]

    def in_chunks(raw: bytes) -> list[Step]:
        return [Send(http_head(200, {"content-type": "application/json", "transfer-encoding": "chunked"}) + raw)]

    yield Cell("short_body", always(cut(sized(len(data), data[:half]))), errors=_lost)
    yield Cell(
        "short_body_reset", always([*sized(len(data), data[:half]), Wait(0.02), Close(reset=True)]), errors=_lost
    )
    yield Cell("body_one_byte_short", always(cut(sized(len(data), data[:-1]))), errors=_lost)
    yield Cell("body_stalls", always([*sized(len(data), data[:half]), Wait(SILENCE)]), errors=(ModelTimeoutError,))
    yield Cell("length_too_small", always(cut(sized(half, data))), errors=NO_ANSWER)
    yield Cell("slow_body", always([*sized(len(data), b""), *_dripping(data)]), errors=(ModelTimeoutError,))
    yield Cell("empty_body", always(sized(0, b"")), errors=NO_ANSWER)
    yield Cell("chunk_size_garbage", always(cut(in_chunks(b"zz\r\n" + data))), errors=_garbled)
    yield Cell(
        "chunk_size_huge", always(cut(in_chunks(b"f" * 40 + b"\r\n" + data))), errors=(*_garbled, ResponseTooLargeError)
    )
    yield Cell("chunks_cut", always(cut(in_chunks(b"%x\r\n%b" % (len(data), data[:half])))), errors=_lost)
    yield Cell(
        "chunks_without_end", always(cut(in_chunks(b"%x\r\n%b\r\n" % (len(data), data)))), whole=True, errors=_lost
    )
    packed = gzip.compress(data)
    yield Cell("gzip", always(sized(len(packed), packed, **{"content-encoding": "gzip"})), whole=True, told=True)
    yield Cell(
        "gzip_cut", always(sized(len(packed) - 9, packed[:-9], **{"content-encoding": "gzip"})), errors=NO_ANSWER
    )
    yield Cell("gzip_is_none", always(sized(len(data), data, **{"content-encoding": "gzip"})), errors=NO_ANSWER)
    bomb = gzip.compress(b" " * (8 * MAX_BYTES))
    yield Cell(
        "gzip_bomb",
        always(sized(len(bomb), bomb, **{"content-encoding": "gzip"})),
        errors=(ResponseTooLargeError,),
        calls=1,
    )
    large = b" " * (2 * MAX_BYTES) + data
    yield Cell("body_too_large", always(sized(len(large), large)), errors=(ResponseTooLargeError,), calls=1)
    endless = [Send(b"10000\r\n" + b" " * 0x10000 + b"\r\n")] * 64
    yield Cell(
        "endless_chunks", always([*in_chunks(b""), *endless, Wait(SILENCE)]), errors=(ResponseTooLargeError,), calls=1
    )


def _dripping(data: bytes) -> Iterable[Step]:
    """A byte every twentieth of a second, for three seconds."""
    return [step for place in range(60) for step in (Send(data[place : place + 1]), Wait(0.05))]
