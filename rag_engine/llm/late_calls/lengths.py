"""How the time of whole answers splits into that until the first token and that for each further one."""

from __future__ import annotations

# Lengths that differ by less of their average than this tell nothing of what a token takes.
_LEAST_SPREAD = 0.05


class SecondsByLength:
    """Least squares of seconds over tokens, each call with the weight of its time. Neither part is below 0."""

    __slots__ = ("_weight", "_x", "_xx", "_xy", "_y")

    def __init__(self) -> None:
        self._weight = self._x = self._y = self._xx = self._xy = 0.0

    @property
    def usual(self) -> float | None:
        """Seconds of an average answer; None where nothing was measured."""
        return self._y / self._weight if self._weight else None

    @property
    def have_tokens(self) -> bool:
        """Whether any answer had more than one token."""
        return self._x > 0.0

    def add(self, further_tokens: float, seconds: float, weight: float) -> None:
        """An answer with so many tokens behind its first one took so long."""
        self._weight += weight
        self._x += further_tokens * weight
        self._y += seconds * weight
        self._xx += further_tokens * further_tokens * weight
        self._xy += further_tokens * seconds * weight

    def line(self) -> tuple[float, float] | None:
        """Seconds until the first token and for each further one; None where nothing was measured.

        Where the answers were all about as long, or the longer ones were not the slower ones, nothing tells the two
        apart: then all the time is in the tokens, as it mostly is, or, of answers without any, before them.
        """
        if not self._weight:
            return None
        tokens, seconds = self._x / self._weight, self._y / self._weight
        spread = self._xx / self._weight - tokens * tokens
        if spread > (_LEAST_SPREAD * tokens) ** 2:
            slope = (self._xy / self._weight - tokens * seconds) / spread
            if slope <= 0.0:
                return seconds, 0.0
            if slope * tokens <= seconds:
                return seconds - slope * tokens, slope
        return (0.0, seconds / tokens) if tokens > 0 else (seconds, 0.0)

    def scale(self, share: float) -> None:
        """Makes all weights smaller alike."""
        self._weight *= share
        self._x *= share
        self._y *= share
        self._xx *= share
        self._xy *= share
