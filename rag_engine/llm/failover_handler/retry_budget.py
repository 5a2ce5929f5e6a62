"""Bounds what retries and failovers add to the calls that were asked for, so that an outage is not made worse.

After Finagle's and gRPC's retry budgets: each call earns a share of an extra one. Beyond them, an extra call that is
answered earns two more, as it shows that there is somebody to go to (TCP's slow start).
"""

from __future__ import annotations

import time
from collections.abc import Callable


class RetryBudget:
    """Shared by all calls of a route. From any thread and loop."""

    def __init__(
        self,
        *,
        share: float = 0.1,
        burst: float = 10.0,
        per_second: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``share`` of an extra call is earned by each call, ``per_second`` by time, up to ``burst`` in all; what
        answered extra calls earn is kept for some seconds only."""
        raise NotImplementedError

    def called(self) -> None:
        """A call was asked for."""
        raise NotImplementedError

    async def withdraw(self, *, deadline: float) -> bool:
        """Leave for one extra call. Where there is none, but extra calls are under way that may earn some, it waits for
        these until ``deadline``, as ``time.monotonic()`` shows it; False where there is none."""
        raise NotImplementedError

    def ended(self, *, answered: bool) -> None:
        """An extra call has ended."""
        raise NotImplementedError
