"""How well the parts of the engine do, told from their errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class HealthState(StrEnum):
    """Whether a component can be relied on now."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class HealthThresholds:
    """From which share of failed calls a component is degraded, and failing. Fewer than ``least_calls`` calls in the
    window say nothing, but ``failures_in_a_row`` without a success between them do."""

    degraded_share: float = 0.1
    failing_share: float = 0.5
    least_calls: int = 5
    failures_in_a_row: int = 5


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """A component's calls within a window of ``seconds``.

    ``errors`` are all that ended in an error, ``failures`` those of them that are not the caller's doing, such as a
    filter that does not parse. ``share`` is failures among calls, in [0, 1].
    """

    component: str
    seconds: float
    calls: int
    errors: int
    failures: int

    @property
    def errors_per_minute(self) -> float:
        """Errors in a minute, on the average of the window."""
        return self.errors * 60.0 / self.seconds

    @property
    def share(self) -> float:
        """Failures among calls."""
        return self.failures / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class NotedError:
    """One error as it is remembered: nothing in it that is not fit for showing. ``message`` is empty for errors that
    are not the engine's own, as theirs may quote anything."""

    at: datetime
    component: str
    operation: str
    provider: str
    model: str
    code: str
    message: str
    request_id: str


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """How a component does, and why that is thought."""

    component: str
    state: HealthState
    rates: ErrorRates
    failures_in_a_row: int
    last_error: NotedError | None = None
