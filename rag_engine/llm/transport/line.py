"""The bytes of one connection, both ways, as asyncio hands them over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

# Above this much unread, the other side is made to wait (TCP does it).
_UNREAD_LIMIT = 256 << 10
# So much is read at a time: two records of TLS. Asyncio by itself asks the system for 256 KiB with each read, however
# little comes; what is kept of these leaves holes in the heap, and a process that runs for days grows by them.
_READ_AT_ONCE = 32 << 10


class Line(asyncio.BufferedProtocol):
    """Never waits longer than it is told, and never cancels a task for it: that would look like a caller's cancel."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        # A view, so that asyncio's TLS may fill what is left of it in place: slices of bytes would be copies.
        self._buffer = memoryview(bytearray(_READ_AT_ONCE))
        self._pieces: list[bytes] = []
        self._unread = 0
        self._reading_paused = False
        self._writing_paused = False
        self._failure: OSError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self.ended = False
        self.lost: Callable[[], None] | None = None

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Also called with what stands in for the transport, once TLS is up."""
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - it says how much may come, not how much does
        """Where the next bytes are to be written."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Keeps the bytes that were written there until they are asked for."""
        self._pieces.append(bytes(self._buffer[:nbytes]))
        self._unread += nbytes
        if self._unread > _UNREAD_LIMIT and not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """The other side says no more. The transport closes itself."""
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """By a fault where ``exc`` says one."""
        if exc is not None and not self.ended:
            self._failure = exc if isinstance(exc, OSError) else ConnectionAbortedError(type(exc).__name__)
        self._writing_paused = False
        self._end()

    def pause_writing(self) -> None:
        """The other side does not read as fast as we write."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """What was written is nearly gone."""
        self._writing_paused = False
        self._wake()

    def _end(self) -> None:
        self.ended = True
        self._wake()
        if self.lost is not None:
            self.lost()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What we call

    @property
    def transport(self) -> asyncio.Transport:
        """That of asyncio."""
        if self._transport is None:
            raise RuntimeError("the connection is not made yet")
        return self._transport

    @property
    def silent(self) -> bool:
        """Nothing unread, and not ended: fit for another request."""
        return not self._pieces and not self.ended and not self.transport.is_closing()

    def write(self, data: bytes) -> None:
        """Hands the bytes over."""
        if not self.ended:
            self.transport.write(data)

    async def written(self, patience: float, deadline: float) -> bool:
        """Whether what was written is nearly gone, or the other side has spoken or left: False where it took nothing
        for ``patience`` seconds, or at the deadline."""
        while self._writing_paused and not self._pieces and not self.ended:
            before = self.transport.get_write_buffer_size()
            await self._wait(min(deadline, self._loop.time() + patience))
            late = self._writing_paused and not self._pieces and not self.ended
            if late and (self._loop.time() >= deadline or self.transport.get_write_buffer_size() >= before):
                return False
        return True

    async def receive(self, due: float) -> bytes | None:
        """What came, as soon as something has; empty where nothing comes any more, None where nothing came until
        ``due``.

        Raises:
            OSError: the connection broke; what came before was received first.
        """
        if not self._pieces and not self.ended:
            await self._wait(due)
        return self.received()

    def received(self) -> bytes | None:
        """As ``receive``, without waiting."""
        if self._pieces:
            data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces = []
            self._unread = 0
            if self._reading_paused:
                self._reading_paused = False
                if not self.transport.is_closing():
                    self.transport.resume_reading()
            return data
        if self._failure is not None:
            raise self._failure
        return b"" if self.ended else None

    async def _wait(self, due: float) -> None:
        waiter = self._waiter = self._loop.create_future()
        self._due = due
        # One timer serves many waits: each mostly ends long before it is due, and the next one is due later.
        if self._timer is None or self._timer.when() > due:
            self._set_timer()
        try:
            await waiter
        finally:
            self._waiter = None

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        timer, self._timer = self._timer, None
        if self._waiter is None or timer is None:
            return
        if timer.when() < self._due:
            self._set_timer()
        else:
            self._wake()

    def abort(self) -> None:
        """Closes the connection at once."""
        self.lost = None
        self.ended = True
        self._wake()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()
