"""How often each stage ran and how long it took, in this process; kept whether or not anything is exported."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

# Enough for a stable p95; a stage's older durations only count in its sums.
DURATIONS_KEPT = 1024


@dataclass(frozen=True, slots=True)
class StageStatistics:
    """One stage's runs: how many, how many failed, and seconds (total, and percentiles of the last 1,024)."""

    name: str
    count: int
    failed: int
    seconds: float
    p50: float
    p95: float


class _Stage:
    __slots__ = ("count", "durations", "failed", "seconds")

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self.seconds = 0.0
        self.durations: deque[float] = deque(maxlen=DURATIONS_KEPT)


class Statistics:
    """Counts and durations per stage; safe to record from several threads."""

    def __init__(self) -> None:
        self._stages: dict[str, _Stage] = {}
        self._lock = threading.Lock()

    def record(self, name: str, seconds: float, *, failed: bool = False) -> None:
        """Adds one run of the stage ``name``."""
        with self._lock:
            stage = self._stages.setdefault(name, _Stage())
            stage.count += 1
            stage.failed += failed
            stage.seconds += seconds
            stage.durations.append(seconds)

    def seconds(self) -> dict[str, float]:
        """Total seconds of each stage so far."""
        with self._lock:
            return {name: stage.seconds for name, stage in self._stages.items()}

    def report(self) -> list[StageStatistics]:
        """Every stage, the one that took longest first."""
        with self._lock:
            rows = [_summary(name, stage) for name, stage in self._stages.items()]
        return sorted(rows, key=lambda row: -row.seconds)

    def reset(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._stages.clear()


def _summary(name: str, stage: _Stage) -> StageStatistics:
    ordered = sorted(stage.durations)
    return StageStatistics(
        name=name,
        count=stage.count,
        failed=stage.failed,
        seconds=stage.seconds,
        p50=ordered[len(ordered) // 2],
        p95=ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))],
    )
