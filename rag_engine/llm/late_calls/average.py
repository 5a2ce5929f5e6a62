"""An average that believes a slow call at once and a fast one by and by.

After Finagle's peak-sensitive moving average. There the last calls alone decide; here a peak decays towards the average
of the late ones, so that one lucky call does not hide what was seen just before.

Weights grow with time, instead of those of old calls being made smaller: what is added has the weight of its time,
nothing else is touched, and sums are divided by weights in the end. A peak decays by the same means.
"""

from __future__ import annotations


class PeakAverage:
    """Seconds of calls, and the highest peak above their average."""

    __slots__ = ("_peak", "_sum", "_weight")

    def __init__(self) -> None:
        self._sum = 0.0
        self._weight = 0.0
        self._peak = 0.0  # with the weight of its time

    @property
    def usual(self) -> float | None:
        """The average, peaks apart; None where nothing was measured."""
        return self._sum / self._weight if self._weight else None

    def add(self, seconds: float, weight: float) -> None:
        """A call took so long; ``weight`` is that of its time."""
        self._sum += seconds * weight
        self._weight += weight
        peak = (seconds - self._sum / self._weight) * weight
        if peak > self._peak:
            self._peak = peak

    def at_least(self, seconds: float, weight: float) -> None:
        """A call took so long or longer: that counts where it is slow, and is no measure of what is usual."""
        peak = (seconds - (self.usual or 0.0)) * weight
        if peak > self._peak:
            self._peak = peak

    def value(self, weight: float) -> float | None:
        """As slow as it must be thought to be, at the time that has this weight; None where nothing is known."""
        peak = self._peak / weight
        return self._sum / self._weight + peak if self._weight else peak or None

    def scale(self, share: float) -> None:
        """Makes all weights smaller alike, before they grow beyond what a number holds."""
        self._sum *= share
        self._weight *= share
        self._peak *= share
