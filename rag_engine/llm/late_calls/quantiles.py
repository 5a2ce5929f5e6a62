"""Quantiles of late calls, of a bounded number of buckets.

After DDSketch: buckets whose bounds grow by a constant factor, so that whatever lies in one is known to within half of
it, be it milliseconds or minutes. What is added has the weight of its time.
"""

from __future__ import annotations

import math

# Each bucket is so much wider than the one before it: a value is known to within 2 %.
_GROWTH = 1.04
_PER_BUCKET = 1.0 / math.log(_GROWTH)
# From a tenth of a millisecond to about three hours; what lies beyond is counted there.
_LEAST, _MOST = 1e-4, 1e4
_FIRST, _LAST = math.ceil(math.log(_LEAST) * _PER_BUCKET), math.ceil(math.log(_MOST) * _PER_BUCKET)
# A quantile is found anew when calls have come for so large a share of those that it was found of.
_KEPT = 32


class DecayingQuantiles:
    """Weights of calls by their seconds."""

    __slots__ = ("_buckets", "_found", "_found_at", "count")

    def __init__(self) -> None:
        self.count = 0
        self._buckets: dict[int, float] = {}
        self._found: dict[float, float] = {}
        self._found_at = 0

    def add(self, seconds: float, weight: float) -> None:
        """A call took so long."""
        place = _FIRST if seconds <= _LEAST else math.ceil(math.log(seconds) * _PER_BUCKET)
        if place > _LAST:
            place = _LAST
        buckets = self._buckets
        buckets[place] = buckets.get(place, 0.0) + weight
        self.count += 1

    def scale(self, share: float) -> None:
        """Makes all weights smaller alike; what has none any more is let go."""
        self._buckets = {place: weight * share for place, weight in self._buckets.items() if weight * share > 0.0}

    def at(self, share: float) -> float | None:
        """Seconds within which ``share`` of the late calls ended; None without any."""
        if self.count - self._found_at > min(self._found_at, 1024) // _KEPT:
            self._found.clear()
            self._found_at = self.count
        if share not in self._found:
            wanted = share * sum(self._buckets.values())
            seen = 0.0
            for place in sorted(self._buckets):
                seen += self._buckets[place]
                self._found[share] = _GROWTH**place * 2 / (1 + _GROWTH)
                if seen >= wanted:
                    break
        return self._found.get(share)
