"""Progress on standard error: stage, rate and time left; nothing where it is no terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from rag_engine.types.ingestion import IngestProgress

_STAGES = {"scan": "looking at files", "read": "reading and embedding", "index": "bringing the caches up to date"}


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
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("starting", total=None, detail="")
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
        elapsed = self._bar.tasks[0].elapsed or 0.0
        rate = f", {progress.documents / elapsed:.1f}/s" if elapsed >= 1 and progress.documents else ""
        detail = f"{progress.documents:,} documents{rate}, {progress.chunks:,} chunks"
        self._show(_STAGES[progress.stage], progress.done, progress.total, detail)

    def questions(self, stage: str, done: int, total: int) -> None:
        """Shows how far an evaluation is."""
        self._show(f"{stage} the gold questions", done, total, f"{done:,} of {total:,}")

    def _show(self, stage: str, done: int, total: int, detail: str) -> None:
        if stage != self._stage:
            self._stage = stage
            self._bar.reset(self._task, total=total or None, detail=detail, description=stage)
        self._bar.update(self._task, completed=done, total=total or None, detail=detail)
