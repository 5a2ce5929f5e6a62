"""How often and how patiently a failed call is made again."""

from __future__ import annotations

from dataclasses import dataclass

from rag_engine.error_handler.actions import Verdict
from rag_engine.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently. ``attempts`` counts the first call too.

    Before the second call the wait is up to ``first_wait`` seconds, and twice as long before each further one, up to
    ``longest_wait``. ``jitter`` is the share of it that chance decides: with 1 all of it, so that callers who failed
    together do not come back together. A provider's own wait is kept where it is longer.

    Raises:
        ConfigurationError: a number is out of range.
    """

    attempts: int = 3
    first_wait: float = 0.5
    longest_wait: float = 8.0
    jitter: float = 1.0

    def __post_init__(self) -> None:
        if not (
            self.attempts >= 1
            and 0 <= self.first_wait < float("inf")
            and 0 <= self.longest_wait < float("inf")
            and 0 <= self.jitter <= 1
        ):
            raise ConfigurationError(
                f"{self} cannot be kept",
                hint="give attempts from 1, finite waits from 0 seconds, and a jitter from 0 to 1",
            )

    def wait(self, attempt: int, draw: float) -> float:
        """Seconds after the failure of ``attempt``, counted from 1; ``draw`` is chance's part, in [0, 1)."""
        longest = min(self.longest_wait, self.first_wait * 2.0 ** min(attempt - 1, 60))
        return longest * (1 - self.jitter + self.jitter * draw)


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call: which it was, counted from 1, how long it took, and the seconds until the next one; None where
    there is none."""

    error: Exception
    attempt: int
    seconds: float
    verdict: Verdict
    wait: float | None
