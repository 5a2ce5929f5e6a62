"""Stops asking a deployment that fails, and asks it once from time to time to see whether it is well again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rag_engine.protocols import HealthLedger
from rag_engine.types.routing import BreakerState, DeploymentHealth


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens, and for how long.

    It opens when ``failing_share`` of at least ``least_calls`` calls within ``window_seconds`` failed, for
    ``open_seconds``; each probe that fails doubles that, up to ``longest_open_seconds``. A probe of which nothing is
    heard for ``probe_seconds`` no longer keeps others from probing.
    """

    failing_share: float = 0.5
    least_calls: int = 5
    window_seconds: float = 30.0
    open_seconds: float = 5.0
    longest_open_seconds: float = 30.0
    probe_seconds: float = 60.0


class BreakerPermit:
    """Leave to make one call. Exactly one of its three ends is told; a second one is not heard."""

    probe: bool

    def succeeded(self) -> None:
        """The deployment answered."""
        raise NotImplementedError

    def failed(self, *, cause: str, cool_down: float = 0.0) -> None:
        """The deployment failed with the error of code ``cause``. With ``cool_down`` seconds the breaker opens at once,
        for at least as long."""
        raise NotImplementedError

    def released(self) -> None:
        """The call says nothing about the deployment: cancelled, or refused for the caller's own fault. Of a probe the
        next caller may make another."""
        raise NotImplementedError


class CircuitBreaker:
    """One deployment's breaker. From any thread, never waits."""

    def __init__(
        self,
        deployment: str,
        *,
        policy: BreakerPolicy | None = None,
        ledger: HealthLedger | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``clock`` never goes back; ``now`` is the time of day, which may jump, for what other processes are told."""
        raise NotImplementedError

    @property
    def state(self) -> BreakerState:
        """As it is now; OPEN whose time has come is HALF_OPEN."""
        raise NotImplementedError

    @property
    def available(self) -> bool:
        """Whether ``acquire`` would most likely give leave now. Costs less than a microsecond."""
        raise NotImplementedError

    def acquire(self) -> BreakerPermit | None:
        """Leave for one call; None where it is open, or half open and somebody else probes."""
        raise NotImplementedError

    @property
    def seconds_until_probe(self) -> float:
        """Until the next probe may be made; 0 where it is closed, or a probe may be made or is under way."""
        raise NotImplementedError

    async def probe_ended(self, *, deadline: float) -> bool:
        """Waits while a probe of this process is under way; whether ``acquire`` is worth another try before
        ``deadline``, as ``time.monotonic()`` shows it."""
        raise NotImplementedError

    def health(self) -> DeploymentHealth:
        """What there is to know, for showing."""
        raise NotImplementedError
