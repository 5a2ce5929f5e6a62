"""What is told to other processes of a deployment's health, and what is heard from them, through the ledger.

Times of day are believed only as far as they can be true: neither a clock that jumps nor a file that says anything
keeps a deployment away for longer than it was said to be opened for.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rag_engine.llm.circuit_breaker.policy import LONGEST_COOL_DOWN
from rag_engine.protocols import HealthLedger
from rag_engine.types.routing import BreakerState, DeploymentHealth


class SharedHealth:
    """One deployment's health, as this process tells it; with or without a ledger. Its breaker's lock is held."""

    def __init__(
        self,
        deployment: str,
        *,
        ledger: HealthLedger | None,
        now: Callable[[], float] = time.time,
        averages: Callable[[], tuple[float | None, float | None]] | None,
    ) -> None:
        self.deployment = deployment
        self.ledger = ledger
        self._now = now
        self._averages = averages
        # The last change: when it opened or closed, for how long, why, and the calls of its window then.
        self.told = DeploymentHealth(deployment)
        self._seen: DeploymentHealth | None = None

    def news(self) -> DeploymentHealth | None:
        """What another process has recorded, where that is new and not older than what is known here; it is what is
        known from now on."""
        row = None if self.ledger is None else self.ledger.health().get(self.deployment)
        if row is None or row is self._seen or row == self._seen:
            return None
        self._seen = row
        told = self.told
        if row.changed < told.changed <= self._now():
            return None
        self.told = row
        opened = row.state is not BreakerState.CLOSED
        if opened is (told.state is not BreakerState.CLOSED) and row.changed == told.changed:
            return None  # the same change, told again
        return row

    def counted_before(self, window_seconds: float) -> tuple[int, int, float]:
        """Calls and failures of the window that an earlier process left, and the seconds since then; none where that
        is longer ago than the window."""
        told = self.told
        age = self._now() - told.counted
        if told.state is not BreakerState.CLOSED or not 0 <= age < window_seconds:
            return 0, 0, 0.0
        return told.calls, told.failures, age

    def left(self, row: DeploymentHealth, *, otherwise: float) -> tuple[float, float]:
        """Seconds for which a row's breaker stays open, and for how many it was opened, ``otherwise`` where it does not
        say so sensibly."""
        said = row.open_seconds if 0 < row.open_seconds <= LONGEST_COOL_DOWN else otherwise
        left = row.until - self._now()
        return (min(left, said) if left > 0 else 0.0), said

    def opened(self, *, left: float, open_seconds: float, cause: str, failures: int, calls: int) -> None:
        """It has opened, for ``left`` seconds from now."""
        today = self._now()
        first, further = self.speeds()
        self._tell(
            DeploymentHealth(
                deployment=self.deployment,
                state=BreakerState.OPEN,
                until=today + left,
                open_seconds=open_seconds,
                cause=cause,
                failures=failures,
                calls=calls,
                first_token_seconds=first,
                token_seconds=further,
                changed=today,
                counted=today,
            )
        )

    def closed(self) -> None:
        """It has closed."""
        self._tell(self.closed_now(failures=0, calls=0, changed=self._now()))

    def closed_now(self, *, failures: int, calls: int, changed: float) -> DeploymentHealth:
        """A closed breaker's health."""
        first, further = self.speeds()
        return DeploymentHealth(
            deployment=self.deployment,
            failures=failures,
            calls=calls,
            first_token_seconds=first,
            token_seconds=further,
            changed=changed,
            counted=self._now(),
        )

    def record(self, health: DeploymentHealth) -> None:
        """Tells this, which ends the claim of a probe; the last change stays what it is."""
        if self.ledger is not None:
            self._seen = health
            self.ledger.record_health(health)

    def claim_probe(self, seconds: float) -> bool:
        """Whether no other process probes."""
        return self.ledger is None or self.ledger.claim_probe(self.deployment, seconds=seconds)

    def speeds(self) -> tuple[float | None, float | None]:
        """Seconds to the first token and for each further one: as measured here, else as known before."""
        first, further = (None, None) if self._averages is None else self._averages()
        told = self.told
        return told.first_token_seconds if first is None else first, told.token_seconds if further is None else further

    def _tell(self, health: DeploymentHealth) -> None:
        self.told = health
        self.record(health)
