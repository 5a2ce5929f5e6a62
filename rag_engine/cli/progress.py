"""Progress on standard error: stage, rate and time left; nothing where it is no terminal."""

from __future__ import annotations

import sys
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from rag_engine.types.ingestion import IngestProgress

_STAGES = {"scan": "looking at files", "read": "ingesting", "index": "bringing the caches up to date"}


class ProgressBar:
    """A bar that ingest and eval report to; a context manager."""

    def __init__(self, *, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("starting", total=None, detail="", left="")
        self._stage = ""

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def ingest(self, progress: IngestProgress) -> None:
        """Shows how far an ingest is."""
        if self._bar.disable:
            return
        detail, left = "", ""
        if progress.stage == "read":
            rate = progress.documents_per_second
            detail = (
                f"{progress.read:,} read, {progress.chunked:,} chunked, {progress.embedded:,} chunks embedded, "
                f"{progress.documents:,} written" + (f" ({rate:,.1f}/s)" if rate else "")
            )
        if progress.seconds_left is not None:
            left = f"{timedelta(seconds=round(progress.seconds_left))} left"
        self._show(_STAGES[progress.stage], progress.done, progress.total, detail, left)

    def questions(self, stage: str, done: int, total: int) -> None:
        """Shows how far an evaluation or a calibration is."""
        remaining = self._bar.tasks[0].time_remaining
        left = "" if remaining is None else f"{timedelta(seconds=round(remaining))} left"
        self._show(f"{stage} the questions", done, total, f"{done:,} of {total:,}", left)

    def _show(self, stage: str, done: int, total: int, detail: str, left: str) -> None:
        if stage != self._stage:
            self._stage = stage
            self._bar.reset(self._task, total=total or None, detail=detail, left=left, description=stage)
        self._bar.update(self._task, completed=done, total=total or None, detail=detail, left=left)
