"""A second call beside a slow first one: for a small share of the calls, in a task of its own."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable

from rag_engine.error_handler import verdict_for
from rag_engine.error_handler.forks import across_forks
from rag_engine.errors import IncompleteResponseError
from rag_engine.llm.failover_handler.running_call import RunningCall
from rag_engine.types.generation import CompletionDone, CompletionEvent

_MOST_AT_ONCE = 10.0
_HELD_EVENTS = 64


class HedgeShare:
    """How many calls may have a second one beside them: each call earns a share of one, of which few are kept, so that
    a server that becomes slow for all does not get all of them twice. From any thread."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._earned = 0.0
        self._begin_anew()
        across_forks(self, begin_anew=HedgeShare._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()

    def called(self) -> None:
        """A call was asked for."""
        with self._lock:
            self._earned = min(_MOST_AT_ONCE, self._earned + self._share)

    @property
    def available(self) -> bool:
        """Whether ``take`` would most likely give leave."""
        return self._earned >= 1.0

    def take(self) -> bool:
        """Leave for one second call."""
        with self._lock:
            if self._earned < 1.0:
                return False
            self._earned -= 1.0
            return True


class SecondCall:
    """Runs from its making until ``close``. ``began`` says whether it has a first event; then it is read by ``next``.

    A task of its own keeps a model's stream in one task from its first event to its last: what a stream holds, such as
    its time limits, may be bound to the task that began it.
    """

    def __init__(
        self,
        opened: Callable[[], Awaitable[RunningCall | None]],
        *,
        streamed: Callable[[RunningCall], bool],
        on_begun: Callable[[], None],
        on_failure: Callable[[RunningCall, Exception], None],
    ) -> None:
        """``opened`` gives the call, None where there is to be none. ``on_failure`` hears how a call failed that never
        began."""
        self.event: CompletionEvent | None = None
        self._opened = opened
        self._streamed = streamed
        self._on_begun = on_begun
        self._on_failure = on_failure
        self._items: deque[CompletionEvent | Exception] = deque()
        self._there = asyncio.Event()
        self._room = asyncio.Event()
        self._over = False
        self._call: RunningCall | None = None
        self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def call(self) -> RunningCall:
        """The call, once it has begun."""
        if self._call is None:
            raise RuntimeError("there is no second call")
        return self._call

    async def began(self) -> bool:
        """Waits for its first event, which then is in ``event``; False where it failed or was never made."""
        while self.event is None and not self._over:
            self._there.clear()
            await self._there.wait()
        return self.event is not None

    async def next(self) -> CompletionEvent:
        """The next event. Raises what the call raised."""
        while not self._items:
            if self._over:
                raise IncompleteResponseError("the second call was ended before its answer")
            self._there.clear()
            await self._there.wait()
        item = self._items.popleft()
        self._room.set()
        if isinstance(item, Exception):
            raise item  # nothing else follows
        return item

    async def close(self) -> None:
        """Cancels it where it runs, and waits until nothing of it is left, cancelled or not."""
        self._task.cancel()
        cancellation: asyncio.CancelledError | None = None
        while not self._task.done():
            try:
                await asyncio.wait((self._task,))
            except asyncio.CancelledError as error:
                cancellation = error
        if cancellation is not None:
            raise cancellation

    async def _run(self) -> None:
        try:
            self._call = await self._opened()
            if self._call is not None:
                await self._read(self._call)
        finally:
            self._over = True
            self._there.set()

    async def _read(self, call: RunningCall) -> None:
        try:
            await call.begin(streamed=self._streamed(call))
            self.event = event = call.event
            self._there.set()
            self._on_begun()
            while not isinstance(event, CompletionDone):
                event = await call.next()
                if not isinstance(event, CompletionDone):
                    await self._put(event)
            call.answered(event)  # before it is handed out: whoever has it may close this
            self._items.append(event)
        except Exception as error:  # noqa: BLE001 - raised to whoever reads
            if self.event is None:
                self._on_failure(call, error)
            else:
                call.failed(error, verdict_for(error))
                self._items.append(error)
        finally:
            await call.close()

    async def _put(self, item: CompletionEvent) -> None:
        self._items.append(item)
        self._there.set()
        while len(self._items) >= _HELD_EVENTS:
            self._room.clear()
            await self._room.wait()
