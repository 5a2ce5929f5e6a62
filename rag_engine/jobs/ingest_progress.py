"""How far an ingest is: what each stage has done so far, how fast, and how long it will go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

from rag_engine.types.ingestion import IngestProgress

ReportProgress: TypeAlias = Callable[[IngestProgress], None]
# Before, a rate says more about what had to be loaded than about what is to come.
LEAST_SECONDS = 2.0


class IngestMeter:
    """Counts for all stages, and tells of them; the parts of an ingest count, the job names the stage.

    Bytes of ``done`` are those of sources whose documents are committed; those of a batch that is
    being embedded count by their share.
    """

    def __init__(self, tell: ReportProgress) -> None:
        self._tell = tell
        self._stage = "scan"
        self._total = self._done = self._under_way = 0
        self._started = time.monotonic()
        self.read = self.chunked = self.embedded = 0
        self.documents = self.chunks = self.commit = 0

    def begin(self, stage: str, total: int) -> None:
        """The next stage begins: so many bytes are before it."""
        self._stage, self._total, self._done, self._under_way = stage, total, 0, 0
        self._started = time.monotonic()
        self.report()

    def advance(self, size: int) -> None:
        """So many bytes of the stage are done with; tells of it."""
        self.settle(size)
        self.report()

    def settle(self, size: int) -> None:
        """So many bytes of the stage are done with."""
        self._done, self._under_way = min(self._total, self._done + size), 0

    def expect(self, size: int) -> None:
        """So many bytes more are nearly done with; until they are, or fewer, they count as done."""
        self._under_way = size

    def report(self) -> None:
        """Tells how far it is now."""
        elapsed = time.monotonic() - self._started
        done = min(self._total, self._done + self._under_way)
        trusted = elapsed >= LEAST_SECONDS and done > 0
        self._tell(
            IngestProgress(
                stage=self._stage,
                done=done,
                total=self._total,
                documents=self.documents,
                chunks=self.chunks,
                commit=self.commit,
                read=self.read,
                chunked=self.chunked,
                embedded=self.embedded,
                documents_per_second=self.documents / elapsed if elapsed >= LEAST_SECONDS else None,
                seconds_left=(self._total - done) * elapsed / done if trusted else None,
            )
        )
