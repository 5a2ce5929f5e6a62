"""How often each operation ran, how long it took and how often it failed: kept in this process, exported or not."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

# Enough for a stable p99; of older runs only counts, sums and extremes are known.
DURATIONS_KEPT = 1024
RUNS_KEPT = 256
# Names hold models at most, never what users write: more of them than this are counted under one.
OPERATIONS_KEPT = 1000
OTHERS = "(others)"


@dataclass(frozen=True, slots=True)
class PerformanceMetric:
    """One run of an operation. ``error`` is the code or class of what it failed with, empty where it did not."""

    name: str
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class PerformanceStats:
    """An operation's runs: how many, how many failed and with what last; and seconds.

    ``seconds`` is the sum of all, ``mean``, ``least`` and ``most`` are of all; percentiles are of the last 1,024.
    """

    name: str
    count: int
    failed: int
    seconds: float
    mean: float
    least: float
    most: float
    p50: float
    p95: float
    p99: float
    last_error: str = ""


class _Operation:
    __slots__ = ("count", "durations", "failed", "last_error", "least", "most", "seconds")

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self.seconds = 0.0
        self.least = math.inf
        self.most = 0.0
        self.last_error = ""
        self.durations: deque[float] = deque(maxlen=DURATIONS_KEPT)


class PerformanceTracer:
    """Counts and durations per operation, in bounded memory; safe to record from several threads."""

    def __init__(self) -> None:
        self._operations: dict[str, _Operation] = {}
        self._runs: deque[tuple[str, float, str]] = deque(maxlen=RUNS_KEPT)
        self._lock = threading.Lock()

    def record(self, name: str, seconds: float, *, error: str = "") -> None:
        """Adds one run of the operation ``name``; ``error`` says with what it failed, where it did."""
        with self._lock:
            operation = self._operations.get(name)
            if operation is None:
                operation = self._added(name)
            operation.count += 1
            operation.seconds += seconds
            if seconds < operation.least:
                operation.least = seconds
            if seconds > operation.most:
                operation.most = seconds
            if error:
                operation.failed += 1
                operation.last_error = error
            operation.durations.append(seconds)
            self._runs.append((name, seconds, error))

    def _added(self, name: str) -> _Operation:
        if len(self._operations) >= OPERATIONS_KEPT:
            name = OTHERS
        return self._operations.setdefault(name, _Operation())

    def runs(self) -> list[PerformanceMetric]:
        """The last 256 runs of whatever operation, oldest first."""
        with self._lock:
            kept = list(self._runs)
        return [PerformanceMetric(*run) for run in kept]

    def seconds(self) -> dict[str, float]:
        """Total seconds of each operation so far."""
        with self._lock:
            return {name: operation.seconds for name, operation in self._operations.items()}

    def report(self) -> list[PerformanceStats]:
        """Every operation, the one that took longest in all first."""
        with self._lock:
            rows = [_summary(name, operation) for name, operation in self._operations.items()]
        return sorted(rows, key=lambda row: -row.seconds)

    def slowest(self, most: int = 10) -> list[PerformanceStats]:
        """The ``most`` operations whose runs take longest on average, the slowest first."""
        return sorted(self.report(), key=lambda row: -row.mean)[:most]

    def failing(self) -> list[PerformanceStats]:
        """The operations that failed, the one with the largest share of failed runs first."""
        return sorted((row for row in self.report() if row.failed), key=lambda row: -row.failed / row.count)

    def reset(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._operations.clear()
            self._runs.clear()


def _summary(name: str, operation: _Operation) -> PerformanceStats:
    ordered = sorted(operation.durations)
    return PerformanceStats(
        name=name,
        count=operation.count,
        failed=operation.failed,
        seconds=operation.seconds,
        mean=operation.seconds / operation.count,
        least=operation.least,
        most=operation.most,
        p50=_percentile(ordered, 0.5),
        p95=_percentile(ordered, 0.95),
        p99=_percentile(ordered, 0.99),
        last_error=operation.last_error,
    )


def _percentile(ordered: list[float], share: float) -> float:
    """The least of the values that at least ``share`` of all do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def performance_of(runs: Iterable[PerformanceMetric]) -> PerformanceTracer:
    """What is to be said of these runs."""
    tracer = PerformanceTracer()
    for run in runs:
        tracer.record(run.name, run.seconds, error=run.error)
    return tracer


# Of this process: every span is counted here.
performance = PerformanceTracer()
