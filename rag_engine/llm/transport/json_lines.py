"""Lines of JSON (NDJSON) from bytes as they come, however they are cut."""

from __future__ import annotations

import codecs

from rag_engine.llm.transport.event_stream import ServerEvent


class JsonLines:
    """Fed with pieces, gives an event a line that a line end closes; what is left at the end is dropped."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending: list[str] = []

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """The lines that the piece completes, blank ones left out."""
        first, *others = self._decoder.decode(piece).split("\n")
        self._pending.append(first)
        if not others:
            return []
        lines = ["".join(self._pending), *others]
        self._pending = [lines.pop()]
        return [ServerEvent("", line) for line in lines if line.strip()]
