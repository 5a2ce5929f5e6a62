"""One deployment's breaker: closed, open, or half open while one call finds out whether the deployment is well again.

Decisions take the monotonic clock; times of day are only for other processes.

Who has leave carries the number of the period in which it was given. Whatever opens or closes the breaker begins a new
period, so that calls which began before say nothing about it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from rag_engine.error_handler.forks import across_forks
from rag_engine.llm.circuit_breaker.permit import BreakerPermit
from rag_engine.llm.circuit_breaker.policy import BreakerPolicy
from rag_engine.llm.circuit_breaker.shared_health import SharedHealth
from rag_engine.llm.circuit_breaker.window import FailureWindow
from rag_engine.llm.loop_waiter import LoopWaiter
from rag_engine.protocols import HealthLedger
from rag_engine.types.routing import BreakerState, DeploymentHealth

# How often the ledger is asked for what other processes know, and told how many calls fail while nothing else changes.
_REFRESH_SECONDS = 0.75
_RECORD_SECONDS = 10.0
# Another process probes: so long it is not asked again whether it still does.
_ELSEWHERE_SECONDS = 0.25


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
        averages: Callable[[], tuple[float | None, float | None]] | None = None,
    ) -> None:
        """``clock`` never goes back; ``now`` is the time of day, which may jump, for what other processes are told.
        ``averages`` gives the seconds to the first token and for each further one, which are told with the rest."""
        self._policy = BreakerPolicy() if policy is None else policy
        self._shared = SharedHealth(deployment, ledger=ledger, now=now, averages=averages)
        self._clock = clock
        self._window = FailureWindow(self._policy.window_seconds)
        self._period = 0
        self._closed = True
        self._until = 0.0
        self._next_open = self._policy.open_seconds
        self._probe_over = 0.0
        self._elsewhere_until = -math.inf
        self._begin_anew()
        self._record_at = -math.inf
        self._refresh_at = math.inf
        if ledger is not None:
            self._begin_as_told(clock())
        across_forks(self, begin_anew=CircuitBreaker._begin_anew)

    def _begin_anew(self) -> None:
        """Nobody probes or waits: in the child of a fork, who did is in the parent."""
        self._lock = threading.Lock()
        self._probe: BreakerPermit | None = None
        self._waiters: set[LoopWaiter] = set()

    @property
    def state(self) -> BreakerState:
        """As it is now; OPEN whose time has come is HALF_OPEN."""
        now = self._looked()
        if self._closed:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self._until else BreakerState.HALF_OPEN

    @property
    def available(self) -> bool:
        """Whether ``acquire`` would most likely give leave now. Costs less than a microsecond."""
        now = self._looked()
        return self._closed or (now >= self._until and self._may_probe(now))

    def acquire(self) -> BreakerPermit | None:
        """Leave for one call; None where it is open, or half open and somebody else probes."""
        now = self._looked()
        if self._closed:
            return BreakerPermit(self, self._period, False)
        return None if now < self._until else self._acquire_probe(now)

    @property
    def seconds_until_probe(self) -> float:
        """Until the next probe may be made; 0 where it is closed, or a probe may be made or is under way."""
        now = self._looked()
        return 0.0 if self._closed else max(0.0, self._until - now)

    async def probe_ended(self, *, deadline: float) -> bool:
        """Waits while a probe is under way, of this process or of another; whether ``acquire`` is worth another try
        before ``deadline``, as ``time.monotonic()`` shows it. Never says so where it is open for longer."""
        while not self.available:
            waiter = LoopWaiter()
            with self._lock:
                now = self._clock()
                if self._closed or now < self._until:
                    break
                end = _ELSEWHERE_SECONDS if self._probe is None else self._probe_over - now
                self._waiters.add(waiter)
            try:
                at = time.monotonic()
                if at >= deadline:
                    return False
                await waiter.wait(deadline=min(deadline, at + max(end, 0.02)))
            finally:
                with self._lock:
                    self._waiters.discard(waiter)
        return self.available

    def health(self) -> DeploymentHealth:
        """What there is to know, for showing."""
        state = self.state
        with self._lock:
            if state is BreakerState.CLOSED:
                return self._closed_now(self._clock())
            first, further = self._shared.speeds()
            return replace(self._shared.told, state=state, first_token_seconds=first, token_seconds=further)

    def record(self) -> None:
        """Tells the ledger how calls go here, soon; it is told anyway whenever the breaker opens or closes, and every
        ten seconds. For the end of a process."""
        with self._lock:
            health = self._closed_now(self._clock())
            if self._closed and health.calls:
                self._shared.record(health)

    def _looked(self) -> float:
        now = self._clock()
        if now >= self._refresh_at:
            self._refresh(now)
        return now

    def _may_probe(self, now: float) -> bool:
        return (self._probe is None or now >= self._probe_over) and now >= self._elsewhere_until

    def _acquire_probe(self, now: float) -> BreakerPermit | None:
        with self._lock:
            if self._closed:  # a moment ago it was not
                return BreakerPermit(self, self._period, False)
            if now < self._until or not self._may_probe(now):
                return None
            permit = self._probe = BreakerPermit(self, self._period, True)
            self._probe_over = now + self._policy.probe_seconds
        if self._shared.ledger is None:
            return permit
        # Outside of the lock, as the disk may be slow: in this process nobody else probes meanwhile.
        granted = self._shared.claim_probe(self._policy.probe_seconds)
        with self._lock:
            self._adopt(now)
            if granted:
                if self._probe is permit and now >= self._until:
                    return permit
                self._shared.record(self._shared.told)  # somebody else has found out: the claim is over
            else:
                self._elsewhere_until = now + _ELSEWHERE_SECONDS
            permit.ended = True
            if self._probe is permit:
                self._probe = None
            self._wake()
            return BreakerPermit(self, self._period, False) if self._closed else None

    def _succeeded(self, permit: BreakerPermit, period: int) -> None:
        with self._lock:
            if permit.ended:
                return
            permit.ended = True
            if self._closed:
                if period == self._period:
                    self._window.add(self._clock(), failed=False)
            elif self._probe is permit:
                self._close()
                self._shared.closed()

    def _failed(self, permit: BreakerPermit, period: int, cause: str, cool_down: float) -> None:
        with self._lock:
            if permit.ended:
                return
            permit.ended = True
            now = self._clock()
            cool_down = self._policy.cool_down(cool_down)
            if self._closed:
                if period == self._period:
                    self._failed_closed(now, cause, cool_down)
            elif self._probe is permit:
                self._open(now, self._further(cool_down), cause)
            elif self._probe is None and now < self._until < now + cool_down:
                # Of a call that began before it opened, but it is now that the provider asks to be left alone.
                self._until = now + cool_down
                self._tell_opened(now, max(self._shared.told.open_seconds, cool_down), cause)

    def _failed_closed(self, now: float, cause: str, cool_down: float) -> None:
        window, policy = self._window, self._policy
        window.add(now, failed=True)
        if window.calls >= policy.least_calls and window.failures >= policy.failing_share * window.calls:
            self._open(now, self._further(cool_down), cause)
        elif cool_down:
            self._open(now, cool_down, cause)

    def _released(self, permit: BreakerPermit) -> None:
        with self._lock:
            if permit.ended:
                return
            permit.ended = True
            if self._probe is permit:
                self._probe = None
                self._shared.record(self._shared.told)  # ends the claim
                self._wake()

    def _further(self, cool_down: float) -> float:
        """How long it opens now; the next opening takes twice as long."""
        seconds = max(self._next_open, cool_down)
        self._next_open = min(2 * self._next_open, self._policy.longest_open_seconds)
        return seconds

    def _open(self, now: float, seconds: float, cause: str) -> None:
        self._period += 1
        self._until = now + seconds
        self._elsewhere_until = -math.inf
        self._probe = None
        self._closed = False  # last: who reads without the lock finds the time before it
        self._tell_opened(now, seconds, cause)
        self._wake()

    def _tell_opened(self, now: float, open_seconds: float, cause: str) -> None:
        window = self._window
        window.forget(now)
        self._shared.opened(
            left=self._until - now,
            open_seconds=open_seconds,
            cause=cause,
            failures=window.failures,
            calls=window.calls,
        )

    def _close(self) -> None:
        self._period += 1
        self._probe = None
        self._next_open = self._policy.open_seconds
        self._window.clear()
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            waiter.wake()
        self._waiters.clear()

    def _refresh(self, now: float) -> None:
        """Learns what other processes know, at most once in so long, and tells them how it goes here."""
        with self._lock:
            if now < self._refresh_at:
                return
            self._refresh_at = now + _REFRESH_SECONDS
            self._adopt(now)
            if self._closed and now >= self._record_at:
                health = self._closed_now(now)
                if health.calls:
                    self._record_at = now + _RECORD_SECONDS
                    self._shared.record(health)

    def _begin_as_told(self, now: float) -> None:
        """Goes on where the last process ended: short ones that fail one after the other open it together."""
        self._refresh_at = now + _REFRESH_SECONDS
        self._adopt(now)
        calls, failures, age = self._shared.counted_before(self._policy.window_seconds)
        self._window.begin(now - age, calls=calls, failures=failures)
        self._record_at = now + _RECORD_SECONDS if calls else -math.inf

    def _adopt(self, now: float) -> None:
        """Takes over what another process has found out."""
        row = self._shared.news()
        if row is None:
            return
        if row.state is BreakerState.CLOSED:
            if not self._closed:
                self._close()
            return
        policy = self._policy
        left, said = self._shared.left(row, otherwise=policy.open_seconds)
        if self._closed:
            self._period += 1
        self._until = now + left
        self._closed = False
        self._next_open = min(2 * max(said, policy.open_seconds), policy.longest_open_seconds)
        self._wake()

    def _closed_now(self, now: float) -> DeploymentHealth:
        window = self._window
        window.forget(now)
        return self._shared.closed_now(failures=window.failures, calls=window.calls, changed=self._shared.told.changed)
