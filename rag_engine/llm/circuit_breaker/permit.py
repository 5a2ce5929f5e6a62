"""Leave to make one call of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag_engine.llm.circuit_breaker.breaker import CircuitBreaker


class BreakerPermit:
    """Leave to make one call. Exactly one of its three ends is told; a second one is not heard."""

    __slots__ = ("_breaker", "_period", "ended", "probe")

    def __init__(self, breaker: CircuitBreaker, period: int, probe: bool) -> None:
        self._breaker = breaker
        self._period = period
        self.probe = probe
        self.ended = False

    def succeeded(self) -> None:
        """The deployment answered."""
        self._breaker._succeeded(self, self._period)

    def failed(self, *, cause: str, cool_down: float = 0.0) -> None:
        """The deployment failed with the error of code ``cause``. With ``cool_down`` seconds the breaker opens at once,
        for at least as long, and at most a day."""
        self._breaker._failed(self, self._period, cause, cool_down)

    def released(self) -> None:
        """The call says nothing about the deployment: cancelled, or refused for the caller's own fault. Of a probe the
        next caller may make another."""
        self._breaker._released(self)
