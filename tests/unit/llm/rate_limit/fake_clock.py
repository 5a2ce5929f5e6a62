"""Time that passes when a test says so."""

from __future__ import annotations


class FakeClock:
    """Shows ``time``, in seconds."""

    def __init__(self, time: float = 1000.0) -> None:
        self.time = time

    def __call__(self) -> float:
        return self.time

    def pass_by(self, seconds: float) -> None:
        """So much later; earlier where it is below 0."""
        self.time += seconds
