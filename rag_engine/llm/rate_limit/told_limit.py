"""What a provider said is left of one of its limits, until when."""

from __future__ import annotations

from rag_engine.llm.rate_limit.token_bucket import BURST, LEAST_WAIT, ROUNDING

# Where a provider does not say when all may be asked again. Azure counts by 1 or 10 seconds, and tells no reset.
SECONDS_UNTOLD = 10.0


class ToldLimit:
    """So much may be taken until the reset, and no more than a tenth of it at once: the rest is spread evenly.

    Spread like this, calls settle where a provider's own bucket is half full and fills as fast as it is emptied; of a
    limit that begins anew each minute something is left at every time.
    """

    __slots__ = ("_heard", "_left", "_said", "_touched", "level", "until")

    def __init__(self, left: float, until: float, now: float) -> None:
        self._heard = now
        self._said = self._left = left
        self.until = until
        self.level = left * BURST
        self._touched = now

    def heard(self, left: float, until: float, now: float) -> None:
        """The provider says it anew. What was just taken stays taken: else each answer allowed another burst."""
        level = self._level_at(now)
        self._heard = self._touched = now
        self._said = self._left = left
        self.until = until
        self.level = min(level, left * BURST)

    def holds_one(self, now: float) -> bool:
        """Whether a small call may take of it; changes nothing."""
        if now >= self.until:
            return True
        return self._left >= 1 and self._level_at(now) >= min(1.0, self._left * BURST)

    def _level_at(self, now: float) -> float:
        left = self._left
        remaining = self.until - now
        if remaining <= 0:
            return left * BURST
        level = self.level + (now - self._touched) * left / remaining
        most = left * BURST
        return level if level < most else most

    def wait(self, amount: float, now: float) -> float:
        """Seconds until so much may be taken."""
        if amount <= self.level and now < self.until:
            self._touched = now  # what would have come since is left, and is spread again
            return 0.0
        remaining = self.until - now
        if remaining <= 0 or amount <= 0:
            return 0.0
        left = self._left
        if amount > left:
            return max(LEAST_WAIT, remaining)
        self.level = level = self._level_at(now)
        self._touched = now
        least = min(amount, left * BURST)
        if level >= least - ROUNDING:
            return 0.0
        return max(LEAST_WAIT, min(remaining, (least - level) * remaining / left))

    def take(self, amount: float) -> None:
        """A call takes it that need not ``wait``."""
        self.level -= amount
        left = self._left - amount
        self._left = left if left > 0 else 0

    def give_back(self, amount: float, *, taken: float) -> None:
        """A call that took it at ``taken`` took so much less; below 0, more. What the provider said since it knew."""
        if amount and taken >= self._heard:
            left = self._left + amount
            left = left if left < self._said else self._said
            self._left = left = left if left > 0 else 0
            level = self.level + amount
            self.level = level if level < left * BURST else left * BURST
