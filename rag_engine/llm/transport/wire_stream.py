"""An answer as it comes, and how long each part of it may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Protocol

import h11

from rag_engine.error_handler import Phase
from rag_engine.errors import (
    BadResponseError,
    FirstByteTimeoutError,
    IncompleteResponseError,
    LanguageModelError,
    ResponseTooLargeError,
    SlowStreamError,
    StalledStreamError,
)
from rag_engine.llm.transport.call import Call
from rag_engine.llm.transport.content import BrokenContentError, Content
from rag_engine.llm.transport.event_stream import ServerEvent
from rag_engine.llm.transport.exchange import media_type_of
from rag_engine.llm.transport.http_connection import HttpConnection, overdue
from rag_engine.llm.transport.pool import Pool

# Events by which providers only say that they are still there.
HEARTBEATS = frozenset({"ping", "heartbeat", "keep-alive", "keepalive"})


class EventReader(Protocol):
    """Makes events of bytes (EventStream, JsonLines)."""

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """The events that the piece completes.

        Raises:
            BadResponseError, ResponseTooLargeError: one of them is no event.
        """
        ...


class WireStream:
    """``status`` and ``headers`` (lower-case names) of an answer, and its body, which is read once.

    Only time spent waiting for the other side counts as idle; the consumer's pauses count for the deadline alone.
    """

    def __init__(
        self,
        call: Call,
        pool: Pool,
        connection: HttpConnection,
        *,
        status: int,
        headers: Mapping[str, str],
        sent_at: float,
        phase: Phase = Phase.STREAM,
    ) -> None:
        self.status = status
        self.headers = headers
        self._call = call
        self._pool = pool
        self._connection: HttpConnection | None = connection
        self._loop = asyncio.get_running_loop()
        self._limits = call.limits
        self._phase = phase
        self._ended = False
        self._taken = 0
        self._unpacked: Iterator[bytes] | None = None
        self._packing = "gzip" in headers.get("content-encoding", "").lower()
        self._content: Content | None = None
        self._first_patience = max(0.0, call.limits.first_byte - (self._loop.time() - sent_at))
        # Seconds waited since the last progress, and how many may be; seconds and bytes of the rate's window.
        self._quiet = 0.0
        self._patience = call.limits.idle
        self._begun = True
        self._window = 0.0
        self._counted = 0

    @property
    def media_type(self) -> str:
        """That of the body (``media_type_of``)."""
        return media_type_of(self.headers)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body's bytes as they come, unpacked.

        Raises:
            LanguageModelError: it did not come whole, in time or within the cap on its size.
        """
        self._await_first()
        while piece := await self._next():
            self._progress(len(piece))
            yield piece

    async def events(
        self, reader: EventReader, *, heartbeats: frozenset[str] = HEARTBEATS
    ) -> AsyncGenerator[list[ServerEvent], None]:
        """The events as they come, as many at a time as one piece completes. Comments, and events whose name is among
        ``heartbeats``, are no progress: an answer that consists of them ends as one that does not come.

        Raises:
            LanguageModelError: as ``pieces``.
        """
        self._await_first()
        while piece := await self._next():
            try:
                events = reader.feed(piece)
            except (BadResponseError, ResponseTooLargeError) as error:
                # The reader does not know whose stream it reads.
                failure = self._fault(type(error), error.message)
                self.close()
                raise failure from None
            if events:
                size = sum([len(event.data) for event in events if event.name not in heartbeats])
                if size:
                    self._progress(size)
                yield events

    async def read(self) -> bytes:
        """The whole body.

        Raises:
            LanguageModelError: as ``pieces``.
        """
        pieces = []
        while piece := await self._next():
            self._progress(len(piece))
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def finish(self, patience: float) -> None:
        """Waits ``patience`` seconds at most for the end of an answer of which nothing more is wanted, so that the next
        call need not dial again: the mark that ends it often comes in a packet of its own, behind the last event.
        Whatever comes is passed over, and no fault is raised: the answer is there."""
        due = min(self._call.deadline, self._loop.time() + patience)
        connection = self._connection
        while connection is not None and not self._ended:
            event = connection.next_event()
            if type(event) is h11.EndOfMessage:
                self._ended = True
                self.close()
            elif event is h11.NEED_DATA and self._loop.time() < due:
                try:
                    data = await connection.line.receive(due)
                except OSError:
                    return
                if not data:
                    return
                connection.feed(data)
            elif type(event) is not h11.Data:
                return

    def close(self) -> None:
        """Gives the connection back where the answer has ended, closes it at once otherwise."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._ended or connection.at_end():
            self._pool.give_back(connection)
        else:
            self._pool.discard(connection)

    # What came

    async def _next(self) -> bytes:
        """The next bytes of the body, unpacked; empty at its end. Where it fails, the connection is closed."""
        failure: LanguageModelError | None = None
        try:
            if self._loop.time() < self._call.deadline:
                piece = await self._unpacked_piece() if self._packing else await self._packed()
                self._taken += len(piece)
                if self._taken <= self._limits.max_bytes:
                    return piece
                failure = self._fault(ResponseTooLargeError, f"the answer is over {self._limits.max_bytes} bytes")
            else:
                failure = overdue(self._call)
        except BrokenContentError as error:
            failure = self._fault(BadResponseError, f"the answer's body cannot be read: {error}")
        except BaseException:
            self._give_up()
            raise
        self._give_up()
        raise failure

    async def _unpacked_piece(self) -> bytes:
        while True:
            piece = next(self._unpacked, b"") if self._unpacked is not None else b""
            if piece:
                return piece
            packed = await self._packed()
            if not packed:
                return b""
            self._unpacked = self._unpack(packed)

    def _unpack(self, data: bytes) -> Iterator[bytes]:
        if self._content is None:
            self._content = Content()
        return self._content.unpack(data)

    async def _packed(self) -> bytes:
        if self._ended:
            return b""
        connection = self._connection
        if connection is None:
            raise RuntimeError("the stream is closed")
        while True:
            event = connection.next_event()
            if type(event) is h11.Data:
                return bytes(event.data)
            if event is h11.NEED_DATA:
                connection.feed(await self._wait(connection))
            elif isinstance(event, str):
                raise self._broken(event, connection)
            else:
                break
        if self._content is not None and not self._content.complete:
            raise self._fault(IncompleteResponseError, "the compressed answer ends before its end")
        self._ended = True
        self.close()
        return b""

    async def _wait(self, connection: HttpConnection) -> bytes:
        """What comes next; empty where nothing does any more."""
        while True:
            now = self._loop.time()
            due = self._due(now)
            data: bytes | None = None
            failure = ""
            try:
                data = connection.line.received() if now >= due else await connection.line.receive(due)
            except OSError as error:
                failure = "reset" if isinstance(error, ConnectionResetError) else "broke"
            if failure:
                what = f"{self._call.origin.host} {failure} the connection midway in its answer"
                raise self._fault(IncompleteResponseError, what)
            waited = self._loop.time() - now
            self._quiet += waited
            self._window += waited
            if data is None or self._window >= self._limits.rate_window or self._quiet >= self._patience:
                self._check_pace(late=data is None)
            if data is not None:
                return data

    def _broken(self, why: str, connection: HttpConnection) -> LanguageModelError:
        if connection.line.ended:
            return self._fault(IncompleteResponseError, f"{self._call.origin.host} closed the connection midway")
        return self._fault(BadResponseError, f"what {self._call.origin.host} answers is not HTTP: {why}")

    # How long it took

    def _await_first(self) -> None:
        if self._taken == 0:
            self._begun, self._patience = False, self._first_patience

    def _progress(self, size: int) -> None:
        self._quiet = 0.0
        self._counted += size
        if not self._begun:
            self._begun, self._patience = True, self._limits.idle

    def _due(self, now: float) -> float:
        wait = self._patience - self._quiet
        if self._counted and self._limits.minimum_rate:
            wait = min(wait, self._limits.rate_window - self._window)
        return min(self._call.deadline, now + wait)

    def _check_pace(self, *, late: bool) -> None:
        """Raises where the answer is too slow; begins another window where it is over."""
        limits, call = self._limits, self._call
        now = self._loop.time()
        if late and now >= call.deadline:
            raise overdue(call)
        if self._window >= limits.rate_window:
            # Silence is the business of ``idle``: models think.
            if 0 < self._counted < limits.minimum_rate * limits.rate_window:
                what = f"{self._counted} bytes came in {limits.rate_window:g} seconds"
                raise self._fault(SlowStreamError, what)
            self._window, self._counted = 0.0, 0
        if self._quiet >= self._patience:
            if self._begun:
                raise self._fault(StalledStreamError, f"nothing came for {limits.idle:g} seconds midway in the answer")
            raise self._fault(FirstByteTimeoutError, f"no part of the answer came in {limits.first_byte:g} seconds")

    def _fault(self, kind: type[LanguageModelError], what: str) -> LanguageModelError:
        return self._call.error(kind, what, phase=self._phase, status=self.status)

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.discard(connection)
