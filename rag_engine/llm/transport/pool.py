"""The connections of one event loop, kept for the next call."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator

from rag_engine.llm.transport.address import Origin
from rag_engine.llm.transport.call import Call
from rag_engine.llm.transport.dial import dial
from rag_engine.llm.transport.http_connection import HttpConnection
from rag_engine.llm.transport.proxies import Route, route_to
from rag_engine.llm.transport.tls import Trust


class Pool:
    """At most ``size`` connections; one that nobody used for ``keep_alive`` seconds is closed."""

    def __init__(self, trust: Trust, *, size: int, keep_alive: float) -> None:
        self._trust = trust
        self._size = size
        self._keep_alive = keep_alive
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()
        self._idle: dict[Route, deque[HttpConnection]] = {}
        self._open: set[HttpConnection] = set()
        self._begun = 0  # connections that are being made
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._routes: dict[Origin, Route] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._last_will: AsyncGenerator[None, None] | None = None

    @property
    def of_this_process(self) -> bool:
        """Not one that a fork copied: its sockets are another's."""
        return self._process == os.getpid()

    async def take(self, call: Call, *, fresh: bool = False) -> HttpConnection:
        """A connection for the call, new where none is kept or ``fresh`` is wanted.

        Raises:
            LanguageModelError: none could be made (``dial``), or none was free by the deadline.
        """
        route = self._routes.get(call.origin)
        if route is None:
            route = self._routes[call.origin] = route_to(call.origin)
        if not fresh:
            kept = self._kept(route)
            if kept is not None:
                return kept
        late = False
        while self._full():
            if not await self._turn(call.deadline):
                late = True
                break
            kept = None if fresh else self._kept(route)
            if kept is not None:
                return kept
        if late:
            raise call.late_to_connect(self._loop.time())
        if self._last_will is None:
            self._last_will = _close_with_the_loop(self)
            await anext(self._last_will)
        self._begun += 1
        try:
            line = await dial(call, route, self._trust)
        finally:
            self._begun -= 1
            self._next_turn()
        connection = HttpConnection(line, route, max_header_bytes=call.limits.max_header_bytes)
        self._open.add(connection)
        return connection

    def _kept(self, route: Route) -> HttpConnection | None:
        idle = self._idle.get(route)
        now = self._loop.time()
        while idle:
            connection = idle.pop()
            connection.line.lost = None
            if connection.line.silent and connection.kept_until > now:
                return connection
            self._close(connection)
        return None

    def _full(self) -> bool:
        if len(self._open) + self._begun < self._size:
            return False
        for idle in self._idle.values():
            if idle:
                self._close(idle.popleft())
                return False
        return True

    async def _turn(self, deadline: float) -> bool:
        turn = self._loop.create_future()
        self._waiting.append(turn)
        timer = self._loop.call_at(deadline, turn.cancel)
        try:
            await asyncio.wait([turn])
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._next_turn()
            raise
        finally:
            timer.cancel()
            turn.cancel()
            if turn in self._waiting:
                self._waiting.remove(turn)
        return not turn.cancelled()

    def _next_turn(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def give_back(self, connection: HttpConnection) -> None:
        """Keeps the connection where another call may follow on it, closes it otherwise."""
        if not connection.reusable or connection not in self._open:
            self.discard(connection)
            return
        connection.kept_until = self._loop.time() + self._keep_alive
        connection.line.lost = lambda: self.discard(connection)
        self._idle.setdefault(connection.route, deque()).append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._keep_alive, self._close_old)
        self._next_turn()

    def discard(self, connection: HttpConnection) -> None:
        """Closes the connection at once."""
        idle = self._idle.get(connection.route)
        if idle and connection in idle:
            idle.remove(connection)
        self._close(connection)
        self._next_turn()

    def _close(self, connection: HttpConnection) -> None:
        self._open.discard(connection)
        connection.line.abort()

    def _close_old(self) -> None:
        now, next_due = self._loop.time(), None
        for idle in self._idle.values():
            while idle and idle[0].kept_until <= now:
                self._close(idle.popleft())
            if idle:
                next_due = min(next_due or idle[0].kept_until, idle[0].kept_until)
        self._sweep = None if next_due is None else self._loop.call_at(next_due, self._close_old)

    def close(self) -> None:
        """Closes every connection; calls under way end with an error."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connection in list(self._open):
            self._close(connection)
        self._idle.clear()

    async def aclose(self) -> None:
        """As ``close``, and waits until the sockets are closed."""
        self.close()
        if self._last_will is not None:
            will, self._last_will = self._last_will, None
            await will.aclose()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def _close_with_the_loop(pool: Pool) -> AsyncGenerator[None, None]:
    """A loop that ends, as asyncio.run ends its own, closes the generators that it knows: this is how the pool hears of
    it, and no socket outlives its loop."""
    try:
        yield
    finally:
        pool.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
