"""A task that waits on its loop for what may happen on another loop or in another thread."""

from __future__ import annotations

import asyncio
import math
import time


class LoopWaiter:
    """Made by the task that waits; woken from anywhere. Waking takes a few microseconds, and never waits."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()

    async def wait(self, *, deadline: float) -> bool:
        """Whether it was woken before ``deadline``, as ``time.monotonic()`` shows it."""
        left = deadline - time.monotonic()
        if left > 0:
            await asyncio.wait((self._future,), timeout=left if math.isfinite(left) else None)
        return self._future.done()

    def wake(self) -> bool:
        """Ends the wait; False where the loop is closed, so that nobody waits any more."""
        try:
            self._loop.call_soon_threadsafe(self._woken)
        except RuntimeError:
            return False
        return True

    def _woken(self) -> None:
        if not self._future.done():
            self._future.set_result(None)
