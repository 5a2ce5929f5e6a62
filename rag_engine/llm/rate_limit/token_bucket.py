"""One limit by the minute: a bucket that fills steadily, and what was taken from it within the last minute."""

from __future__ import annotations

import math

MINUTE = 60.0
# Nobody is sent away for less: a shorter wait ends in another one, as clocks and sums are rounded.
LEAST_WAIT = 0.001
# The share of a minute's limit that may be asked for at once. Providers count by the second or by ten as well as by
# the minute: who takes a minute's limit in its first second is refused by them.
BURST = 0.1
# What is taken and given back is not to the last digit what was there.
ROUNDING = 1e-9


class TokenBucket:
    """Holds at most a tenth of a minute's limit, and is refilled evenly.

    A call that wants more than the bucket can hold has leave when it is full, and is in debt afterwards: so the most
    that is taken within any minute is the limit, and a tenth of it or one call beyond. What is given back fills the
    bucket, but cannot bring more than that about: ``spent`` is what the calls of the last minute have taken, each as
    far as it is known, and is looked at besides.
    """

    __slots__ = ("_capacity", "_level", "_most", "_one", "_rate", "_room", "_touched", "spent")

    def __init__(self, limit: float, now: float) -> None:
        """``limit`` by the minute; at ``now`` the bucket is full."""
        self._rate = limit / MINUTE
        self._capacity = limit * BURST
        self._room = limit + self._capacity
        # A limit below one is a call every few minutes.
        self._most = max(limit, 1.0) if limit > 0 else 0.0
        self._one = min(1.0, self._capacity)
        self._level = self._capacity
        self._touched = now
        self.spent: float = 0

    def holds_one(self, now: float) -> bool:
        """Whether the bucket has enough for a small call; changes nothing."""
        return self._level + (now - self._touched) * self._rate >= self._one and self._most > 0

    @property
    def full_minute(self) -> bool:
        """Whether the last minute's calls have taken all that there is."""
        return self.spent + self._one > self._room

    def wait(self, amount: float, now: float) -> float:
        """Seconds until the bucket has so much; infinite where it never has. Of the last minute's calls ``beyond`` says
        more, where it is not 0."""
        capacity = self._capacity
        level = self._level + (now - self._touched) * self._rate
        self._level = level = level if level < capacity else capacity
        self._touched = now
        least = amount if amount < capacity else capacity
        if amount <= 0 or (level >= least - ROUNDING and self.spent + least <= self._room and amount <= self._most):
            return 0.0
        return math.inf if amount > self._most else max(LEAST_WAIT, (least - level) / self._rate)

    def beyond(self, amount: float) -> float:
        """How much of what the last minute's calls took must grow old first; not above 0 where there is room."""
        return self.spent + (amount if amount < self._capacity else self._capacity) - self._room

    def take(self, amount: float) -> None:
        """A call takes it that need not ``wait``."""
        self._level -= amount
        self.spent += amount

    def give_back(self, amount: float, *, of_late: bool) -> None:
        """A call took so much less than was thought; below 0, more. ``of_late`` says that it is in ``spent``."""
        level = self._level + amount
        self._level = level if level < self._capacity else self._capacity
        if of_late:
            self.spent -= amount
