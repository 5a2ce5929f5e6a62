"""Counts errors of this process: which, where, how often lately, and how well the components do."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from rag_engine.error_handler.forks import across_forks
from rag_engine.error_handler.health import ComponentHealth, ErrorRates, HealthState, HealthThresholds, NotedError
from rag_engine.errors import (
    BudgetExceededError,
    ContentPolicyError,
    InvalidRequestError,
    LanguageModelError,
    RagEngineError,
    UsageError,
)

# Whoever asks for what cannot be done says nothing about the part that refuses it.
_OF_THE_CALLER: Final = (UsageError, InvalidRequestError, ContentPolicyError, BudgetExceededError)

# Names are our own and few; where somebody makes them up, the rest is counted together.
COMPONENTS_KEPT = 256
CODES_KEPT = 128
OTHERS = "others"

# The window moves in steps of this part of it.
_STEPS = 60


class _Component:
    """Calls, errors and failures in each step of the window, oldest first, and since the start."""

    __slots__ = ("calls", "codes", "in_a_row", "last", "steps")

    def __init__(self) -> None:
        self.calls = 0
        self.codes: Counter[str] = Counter()
        self.in_a_row = 0
        self.last: NotedError | None = None
        self.steps: deque[list[int]] = deque()  # of step, calls, errors, failures

    def step(self, number: int) -> list[int]:
        while self.steps and self.steps[0][0] <= number - _STEPS:
            self.steps.popleft()
        # A thread that was held up since it read the clock writes into the newest step, never into one behind it.
        if not self.steps or self.steps[-1][0] < number:
            self.steps.append([number, 0, 0, 0])
        return self.steps[-1]


class ErrorAggregator:
    """Keeps counts, rates over the last ``window`` seconds and the last ``kept`` errors; from any thread.

    Memory is bounded: 256 components with 128 codes each, the others are counted as ``others``. ``clock`` gives seconds
    that never go back, ``now`` the time of day.
    """

    def __init__(
        self,
        *,
        window: float = 300.0,
        kept: int = 100,
        thresholds: HealthThresholds | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._window = window
        self._thresholds = thresholds or HealthThresholds()
        self._clock = clock
        self._now = now or (lambda: datetime.now(UTC))
        self._begin_anew()
        self._components: dict[str, _Component] = {}
        self._last: deque[NotedError] = deque(maxlen=kept)
        across_forks(self, begin_anew=ErrorAggregator._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()

    def record_success(self, component: str) -> None:
        """A call of the component ended well."""
        with self._lock:
            found, step = self._at(component)
            found.calls += 1
            found.in_a_row = 0
            step[1] += 1

    def record(
        self, error: BaseException, *, component: str, operation: str = "", provider: str = "", model: str = ""
    ) -> NotedError:
        """A call of the component ended in this error. ``provider`` and ``model`` are the error's where it has them."""
        known = isinstance(error, RagEngineError)
        of_model = error if isinstance(error, LanguageModelError) else None
        noted = NotedError(
            at=self._now(),
            component=component,
            operation=operation,
            provider=(of_model.provider if of_model else "") or provider,
            model=(of_model.model if of_model else "") or model,
            code=error.code if isinstance(error, RagEngineError) else type(error).__name__,
            message=str(error) if known else "",
            request_id=of_model.request_id if of_model else "",
        )
        with self._lock:
            found, step = self._at(component)
            found.calls += 1
            step[1] += 1
            step[2] += 1
            if not isinstance(error, _OF_THE_CALLER):
                step[3] += 1
                found.in_a_row += 1
            known_code = noted.code in found.codes or len(found.codes) < CODES_KEPT
            found.codes[noted.code if known_code else OTHERS] += 1
            found.last = noted
            self._last.append(noted)
        return noted

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Errors since the start, by component and code."""
        with self._lock:
            return {name: dict(found.codes) for name, found in self._components.items()}

    def calls(self) -> Mapping[str, int]:
        """Calls since the start, by component."""
        with self._lock:
            return {name: found.calls for name, found in self._components.items()}

    def last_errors(self, component: str | None = None) -> tuple[NotedError, ...]:
        """The last errors that are kept, newest first; of one component where it is named."""
        with self._lock:
            return tuple(noted for noted in reversed(self._last) if component in (None, noted.component))

    def rates(self, component: str) -> ErrorRates:
        """The component's rates over the window; zeros where it was not called."""
        with self._lock:
            return self._rates(component)

    def health(self, component: str) -> ComponentHealth:
        """How the component does. One that was never called is healthy."""
        with self._lock:
            return self._health(component)

    def healths(self) -> tuple[ComponentHealth, ...]:
        """How every component does that was called, by name."""
        with self._lock:
            return tuple(self._health(name) for name in sorted(self._components))

    def reset(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._components.clear()
            self._last.clear()

    def _at(self, component: str) -> tuple[_Component, list[int]]:
        found = self._components.get(component)
        if found is None:
            name = component if len(self._components) < COMPONENTS_KEPT else OTHERS
            found = self._components.setdefault(name, _Component())
        return found, found.step(self._number())

    def _number(self) -> int:
        return int(self._clock() / self._window * _STEPS)

    def _rates(self, component: str) -> ErrorRates:
        found = self._components.get(component)
        oldest = self._number() - _STEPS
        steps = [step for step in found.steps if step[0] > oldest] if found else []
        calls, failed, failures = (sum(step[part] for step in steps) for part in (1, 2, 3))
        return ErrorRates(component, self._window, calls, failed, failures)

    def _health(self, component: str) -> ComponentHealth:
        found = self._components.get(component)
        rates, limits = self._rates(component), self._thresholds
        in_a_row = found.in_a_row if found else 0
        state = HealthState.HEALTHY
        enough = rates.calls >= limits.least_calls
        # What happened before the window is over: a row of failures counts only while some of it lies within.
        if (enough and rates.share >= limits.failing_share) or (
            rates.failures and in_a_row >= limits.failures_in_a_row
        ):
            state = HealthState.FAILING
        elif enough and rates.share >= limits.degraded_share:
            state = HealthState.DEGRADED
        return ComponentHealth(component, state, rates, in_a_row, found.last if found else None)


_of_this_process = ErrorAggregator()


def default_aggregator() -> ErrorAggregator:
    """The one that everything in this process notes its errors in, unless told otherwise."""
    return _of_this_process
