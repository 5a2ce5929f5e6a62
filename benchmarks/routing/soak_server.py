"""Servers of a soak: one process, a port a deployment, thousands of answers a second, faults as they are drawn.

A call is under way from its request's last byte to its answer's, or until the caller has gone: one that nobody waits
for any more, and that was not closed, shows for ever.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import socket
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.routing.soak_answers import number_of, stream_events, text_of, wants_stream, whole_body, words_of
from benchmarks.routing.soak_faults import Fault, Faults

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_RESET = struct.pack("ii", 1, 0)
_WRITES = 3  # in which a stream comes
_SLOW_WRITES = 8
_STATUSES = {
    Fault.RATE_LIMIT: (429, b""),
    Fault.RATE_LIMIT_WITH_WAIT: (429, b"retry-after-ms: 50\r\n"),
    Fault.SERVER_ERROR: (500, b""),
    Fault.UNAVAILABLE: (503, b""),
    Fault.OVERLOADED: (529, b""),
}
_ERROR = b'{"error":{"message":"by intent","type":"server_error","param":null,"code":null}}'
_PAGE = b"<!doctype html><html><body>Sign in</body></html>"
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Pace:
    """Seconds: ``pause`` is one that callers allow, ``slow`` lies between the pieces of a slow body."""

    pause: float = 0.05
    slow: float = 0.02
    turn: float = 4.0


@dataclass
class Tally:
    """What one port has seen."""

    received: int = 0
    under_way: int = 0
    abandoned: int = 0
    connections: int = 0


class _Answering(asyncio.Protocol):
    """One connection; requests come one after another."""

    def __init__(self, number: int, tally: Tally, faults: Faults, drawn: Counter[str], pace: Pace) -> None:
        self._server = number
        self._tally = tally
        self._faults = faults
        self._drawn = drawn
        self._pace = pace
        self._received = b""
        self._answering = False
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._tally.connections += 1

    def connection_lost(self, _: Exception | None) -> None:
        self._tally.connections -= 1
        if self._answering:
            self._tally.abandoned += 1
            self._ended()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        if self._answering:  # nobody asks for a second answer before the first is there
            self._transport.abort()
            return
        self._tally.received += 1
        self._tally.under_way += 1
        self._answering = True
        fault = self._faults.drawn(self._server, self._loop.time())
        self._drawn[fault] += 1
        self._write(self._answer(fault, number_of(body) or 0, streamed=wants_stream(body)))

    def _ended(self) -> None:
        self._answering = False
        self._tally.under_way -= 1

    def _write(self, steps: Iterator[bytes | float | None]) -> None:
        """Pieces are written, numbers are waited, None closes; what never ends waits for ever."""
        for step in steps:
            if self._transport.is_closing():
                return
            if isinstance(step, bytes):
                self._transport.write(step)
            elif step is None:
                self._ended()
                self._transport.close()
                return
            else:
                if step != float("inf"):
                    self._loop.call_later(step, self._write, steps)
                return
        self._ended()

    def _reset(self) -> Iterator[bytes | float | None]:
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        yield None

    def _answer(self, fault: Fault, number: int, *, streamed: bool) -> Iterator[bytes | float | None]:
        if fault in _STATUSES:
            yield _whole(_ERROR, *_STATUSES[fault])
        elif fault is Fault.SILENCE:
            yield float("inf")
        elif fault is Fault.RESET_BEFORE_HEAD:
            yield from self._reset()
        elif fault is Fault.PAGE:
            yield _whole(_PAGE, media_type=b"text/html")
        else:
            yield from self._streamed(fault, number) if streamed else self._at_once(fault, number)

    def _streamed(self, fault: Fault, number: int) -> Iterator[bytes | float | None]:
        words = words_of(number) if fault is not Fault.EMPTY else []
        events = stream_events(words, ended=fault is not Fault.NO_END)
        place = 1 + int(self._faults.draw() * max(1, len(words) - 1))
        if fault is Fault.NO_JSON:
            events[place] = events[place][: len(events[place]) // 2] + b"\n\n"
        elif fault is Fault.ERROR_MIDWAY:
            events[place:] = [b"data: %b\n\n" % _ERROR]
        pieces = [_chunk(event) for event in events]
        if fault in (Fault.LENGTH_TOO_LONG, Fault.LENGTH_TOO_SHORT):  # of one chunk
            size = len(events[place]) + (7 if fault is Fault.LENGTH_TOO_LONG else -7)
            pieces[place] = b"%x\r\n%b\r\n" % (size, events[place])
        behind = b"0\r\n\r\n"
        if fault is Fault.ANOTHERS_BEHIND:
            behind += _STREAM_HEAD + b"".join(_chunk(event) for event in stream_events(words_of(number + 1)))
        yield from self._paced(fault, _STREAM_HEAD, [*pieces, behind], place)

    def _at_once(self, fault: Fault, number: int) -> Iterator[bytes | float | None]:
        body = whole_body(text_of(number) if fault is not Fault.EMPTY else "")
        place = 1 + int(self._faults.draw() * (len(body) - 2))
        length = len(body)
        if fault in (Fault.NO_JSON, Fault.ERROR_MIDWAY, Fault.NO_END):
            body, length = body[:place], place
        elif fault is Fault.LENGTH_TOO_LONG:
            length += 7
        elif fault is Fault.LENGTH_TOO_SHORT:
            length -= 7
        elif fault is Fault.ANOTHERS_BEHIND:
            body += _whole(whole_body(text_of(number + 1)))
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % length
        cut = place if fault is not Fault.ANOTHERS_BEHIND else length
        yield from self._paced(fault, head, [body[:cut], body[cut:]], 1)

    def _paced(self, fault: Fault, head: bytes, pieces: Sequence[bytes], place: int) -> Iterator[bytes | float | None]:
        """The pieces, with the fault before that of number ``place``."""
        if fault is Fault.RESET_AFTER_HEAD:
            yield head
            yield 0.0
            yield from self._reset()
        elif fault in (Fault.CUT, Fault.RESET_MIDWAY):
            yield head + b"".join(pieces[:place])
            yield 0.0
            yield from self._reset() if fault is Fault.RESET_MIDWAY else (None,)
        elif fault in (Fault.SHORT_PAUSE, Fault.LONG_PAUSE):
            yield head + b"".join(pieces[:place])
            yield self._pace.pause if fault is Fault.SHORT_PAUSE else float("inf")
            yield b"".join(pieces[place:])
        else:
            slow = fault is Fault.SLOW
            written = head + b"".join(pieces)
            size = -(-len(written) // (_SLOW_WRITES if slow else _WRITES))
            for start in range(0, len(written), size):
                yield written[start : start + size]
                if start + size < len(written):
                    yield self._pace.slow if slow else 0.0
            if fault is Fault.LENGTH_TOO_LONG:
                yield None


def _chunk(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)


def _whole(body: bytes, status: int = 200, header: bytes = b"", media_type: bytes = b"application/json") -> bytes:
    head = b"HTTP/1.1 %d Because\r\ncontent-type: %b\r\n%bcontent-length: %d\r\n\r\n"
    return head % (status, media_type, header, len(body)) + body


def _serve(talk: Connection, servers: int, seed: int, pace: Pace) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        faults = Faults(seed=seed, servers=servers, turn_seconds=pace.turn)
        drawn: Counter[str] = Counter()
        tallies = [Tally() for _ in range(servers)]
        ports = []
        for number, tally in enumerate(tallies):

            def connected(number: int = number, tally: Tally = tally) -> _Answering:
                return _Answering(number, tally, faults, drawn, pace)

            server = await loop.create_server(connected, "127.0.0.1", 0, backlog=1024)
            ports.append(server.sockets[0].getsockname()[1])
        ended = asyncio.Event()

        def asked() -> None:
            try:
                talk.recv()
                talk.send((tallies, dict(drawn)))
            except (EOFError, OSError):
                ended.set()

        loop.add_reader(talk.fileno(), asked)
        talk.send(ports)
        await ended.wait()

    asyncio.run(main())


class Servers:
    """``urls`` are their addresses."""

    def __init__(self, talk: Connection) -> None:
        self._talk = talk
        self.urls = [f"http://127.0.0.1:{port}/v1" for port in talk.recv()]

    def seen(self) -> tuple[list[Tally], dict[str, int]]:
        """What each has seen until now, and how often each fault was drawn by all of them."""
        self._talk.send("seen")
        seen: tuple[list[Tally], dict[str, int]] = self._talk.recv()
        return seen


@contextmanager
def running_servers(servers: int = 3, *, seed: int = 0, pace: Pace | None = None) -> Iterator[Servers]:
    """They run in a process of their own until the context is left."""
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    process = processes.Process(target=_serve, args=(theirs, servers, seed, pace or Pace()), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Servers(ours)
    finally:
        ours.close()
        process.terminate()
        process.join()
        process.close()
