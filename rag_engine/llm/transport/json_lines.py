"""Lines of JSON (NDJSON) from bytes as they come, however they are cut."""

from __future__ import annotations

from rag_engine.errors import ResponseTooLargeError
from rag_engine.llm.transport.event_stream import MAX_EVENT_BYTES, ServerEvent, decoded


class JsonLines:
    """Fed with pieces, gives an event a line that a line end closes; what is left at the end is dropped. A line
    that is not UTF-8 is refused: an answer that was damaged on its way is none.

    Time grows with the bytes. ``max_event_bytes`` bounds a line.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._pending: list[bytes] = []
        self._size = 0
        self._started = False

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """The lines that the piece completes, blank ones left out.

        Raises:
            ResponseTooLargeError: one line is over the cap.
            BadResponseError: one is not UTF-8.
        """
        begun, line_end, rest = piece.rpartition(b"\n")
        events: list[ServerEvent] = []
        if line_end:
            self._pending.append(begun)
            lines = b"".join(self._pending)
            self._pending, self._size = [], 0
            for line in lines.split(b"\n"):
                self._read(line, events)
        if rest:
            self._pending.append(rest)
            self._size += len(rest)
            if self._size > self._max:
                raise self._too_large()
        return events

    def _read(self, line: bytes, events: list[ServerEvent]) -> None:
        if not self._started:
            self._started = True
            line = line.removeprefix(b"\xef\xbb\xbf")
        if len(line) > self._max:
            raise self._too_large()
        if line and not line.isspace():
            events.append(ServerEvent("", decoded(line.removesuffix(b"\r"))))

    def _too_large(self) -> ResponseTooLargeError:
        return ResponseTooLargeError(f"one line of the stream is over {self._max} bytes")
