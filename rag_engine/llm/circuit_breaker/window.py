"""How many calls failed lately, in memory that does not grow with them."""

from __future__ import annotations

_BUCKETS = 10


class FailureWindow:
    """Calls of the last seconds, in ten buckets: the oldest is forgotten as a whole. Not for several threads
    at once."""

    def __init__(self, seconds: float) -> None:
        self._width = seconds / _BUCKETS
        self._latest = 0
        self._calls = [0] * _BUCKETS
        self._failures = [0] * _BUCKETS
        self.calls = 0
        self.failures = 0

    def add(self, now: float, *, failed: bool) -> None:
        """A call ended at ``now``, in seconds of a clock that never goes back."""
        if int(now / self._width) != self._latest:
            self.forget(now)
        place = self._latest % _BUCKETS
        self._calls[place] += 1
        self.calls += 1
        if failed:
            self._failures[place] += 1
            self.failures += 1

    def begin(self, at: float, *, calls: int, failures: int) -> None:
        """Takes over what was counted until ``at``."""
        self._latest = int(at / self._width)
        place = self._latest % _BUCKETS
        self._calls[place] = self.calls = max(0, calls)
        self._failures[place] = self.failures = min(self.calls, max(0, failures))

    def forget(self, now: float) -> None:
        """What is older than the window at ``now`` counts no more."""
        latest = int(now / self._width)
        for number in range(max(self._latest, latest - _BUCKETS) + 1, latest + 1):
            place = number % _BUCKETS
            self.calls -= self._calls[place]
            self.failures -= self._failures[place]
            self._calls[place] = self._failures[place] = 0
        self._latest = max(self._latest, latest)

    def clear(self) -> None:
        """Begins anew."""
        self._calls = [0] * _BUCKETS
        self._failures = [0] * _BUCKETS
        self.calls = self.failures = 0
