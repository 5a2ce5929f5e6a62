"""A chunker that fails where a document says so, for tests of the processes that chunk."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from rag_engine.protocols import Chunker
from rag_engine.types.document import Chunk, Document

DEADLY = "this text ends the process that reads it"
DEADLY_ONCE = "this text ends the first process that reads it"
FAULTY = "this text makes the chunker fail"
EXHAUSTING = "this text takes all memory"


class FaultyChunker:
    """Chunks as another chunker does, but for documents that hold one of the sentences above."""

    def __init__(self, inner: Chunker, *, notes: Path) -> None:
        """``notes`` is a folder for what must outlive a process."""
        self._inner = inner
        self._notes = notes
        self.identity = inner.identity

    def chunk(self, document: Document) -> list[Chunk]:
        """The inner chunker's chunks, if any."""
        if DEADLY in document.text:
            os.kill(os.getpid(), signal.SIGKILL)
        if DEADLY_ONCE in document.text:
            note = self._notes / "read once"
            if not note.exists():
                note.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        if FAULTY in document.text:
            raise ValueError("a fault")
        if EXHAUSTING in document.text:
            raise MemoryError
        return self._inner.chunk(document)
