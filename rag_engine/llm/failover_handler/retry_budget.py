"""Bounds what retries and failovers add to the calls that were asked for, so that an outage is not made worse.

After Finagle's and gRPC's retry budgets: each call earns a share of an extra one. Beyond them, an extra call that is
answered earns two more, as it shows that there is somebody to go to (TCP's slow start).
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from rag_engine.error_handler.forks import across_forks
from rag_engine.errors import ConfigurationError
from rag_engine.llm.loop_waiter import LoopWaiter

_EARNED_BY_ANSWER = 2
# What answers earned is forgotten after this, and is never more than so many times the burst: when whoever answered
# falls silent as well, no more than that is spent on finding out.
_EARNED_SECONDS = 5
_MOST_EARNED = 5.0
# Sums of shares that fall short of a whole call by no more than their rounding are one.
_ROUNDING = 1e-9


class _Waiter(LoopWaiter):
    """Somebody who waits for leave; ``leave`` is None until it is decided."""

    __slots__ = ("leave",)

    def __init__(self) -> None:
        super().__init__()
        self.leave: bool | None = None


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
        answered extra calls earn is kept for some seconds only.

        Raises:
            ConfigurationError: one of them is negative or no finite number.
        """
        for name, value in (("share", share), ("burst", burst), ("per_second", per_second)):
            if not (math.isfinite(value) and value >= 0):
                raise ConfigurationError(f"a retry budget's {name} is {value!r}", hint="give it 0 or more")
        self._share = share
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._saved = burst
        self._saved_at = clock()
        # What answers earned in each second, the oldest first: pairs of the second and the calls.
        self._earned: deque[list[float]] = deque()
        self._begin_anew()
        across_forks(self, begin_anew=RetryBudget._begin_anew)

    def _begin_anew(self) -> None:
        """Nothing is under way, and nobody waits: in the child of a fork, what did is the parent's."""
        self._lock = threading.Lock()
        self._under_way = 0
        self._waiters: deque[_Waiter] = deque()

    @property
    def left(self) -> float:
        """Extra calls that could be made now."""
        with self._lock:
            return self._stock()

    def called(self) -> None:
        """A call was asked for."""
        with self._lock:
            self._saved = min(self._burst, self._saved + self._share)
            if self._waiters:
                self._decide()

    async def withdraw(self, *, deadline: float) -> bool:
        """Leave for one extra call. Where there is none, but extra calls are under way that may earn some, it waits for
        these until ``deadline``, as ``time.monotonic()`` shows it; False where there is none."""
        with self._lock:
            if not self._waiters and self._take():
                return True
            if not self._under_way:
                return False
            waiter = _Waiter()
            self._waiters.append(waiter)
        try:
            await waiter.wait(deadline=deadline)
        except BaseException:
            with self._lock:
                if waiter.leave:  # given a moment before: somebody else may have it
                    self._give_back()
                    self._decide()
            raise
        finally:
            with self._lock:
                if waiter.leave is None:
                    self._waiters.remove(waiter)
        return bool(waiter.leave)

    def ended(self, *, answered: bool) -> None:
        """An extra call has ended."""
        with self._lock:
            self._under_way = max(0, self._under_way - 1)
            if answered:
                self._earn(_EARNED_BY_ANSWER)
            self._decide()

    def _stock(self) -> float:
        now = self._clock()
        self._saved = min(self._burst, self._saved + self._per_second * max(0.0, now - self._saved_at))
        self._saved_at = now
        while self._earned and self._earned[0][0] <= int(now) - _EARNED_SECONDS:
            self._earned.popleft()
        return self._saved + sum(calls for _, calls in self._earned)

    def _take(self) -> bool:
        """Takes one call, of what is forgotten first."""
        if self._stock() < 1 - _ROUNDING:
            return False
        due = 1.0
        while due and self._earned:
            oldest = self._earned[0]
            taken = min(due, oldest[1])
            oldest[1] -= taken
            due -= taken
            if not oldest[1]:
                self._earned.popleft()
        self._saved = max(0.0, self._saved - due)
        self._under_way += 1
        return True

    def _earn(self, calls: float) -> None:
        second = int(self._clock())
        if not self._earned or self._earned[-1][0] != second:
            self._earned.append([second, 0.0])
        self._earned[-1][1] += calls

    def _give_back(self) -> None:
        self._under_way -= 1
        self._earn(1.0)

    def _decide(self) -> None:
        """Gives waiters, in their order, what there is; and tells them so where nothing more can come."""
        while self._waiters and self._take():
            waiter = self._waiters.popleft()
            waiter.leave = True
            if not waiter.wake():  # its loop is closed
                self._give_back()
        if not self._under_way:
            while self._waiters:
                waiter = self._waiters.popleft()
                waiter.leave = False
                waiter.wake()
        over = sum(calls for _, calls in self._earned) - _MOST_EARNED * self._burst
        while over > 0:
            oldest = self._earned[0]
            taken = min(over, oldest[1])
            oldest[1] -= taken
            over -= taken
            if not oldest[1]:
                self._earned.popleft()
