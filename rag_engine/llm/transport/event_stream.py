"""Server-sent events (WHATWG HTML, section 9.2) from bytes as they come, however they are cut."""

from __future__ import annotations

from typing import NamedTuple

from rag_engine.errors import BadResponseError, ResponseTooLargeError

MAX_EVENT_BYTES = 16 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ServerEvent(NamedTuple):
    """One event of a stream: its name, empty where it has none, and its data. Of JSON lines, the data is the line."""

    name: str
    data: str


def decoded(data: bytes) -> str:
    """The text of an event's bytes.

    Raises:
        BadResponseError: they are not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadResponseError("an event of the stream is not UTF-8") from None  # the cause would hold the bytes


class EventStream:
    """Fed with pieces, gives events. An event that no blank line ends is none: where a stream breaks off, it is
    dropped. An event that is not UTF-8 is refused, where the standard would put U+FFFD into it: an answer that was
    damaged on its way is no answer, and nobody could tell it from one.

    Time grows with the bytes: a line is put together once, when its end has come. ``max_event_bytes`` bounds what an
    event may hold before it ends.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._start = b""  # the first bytes, as long as they may be a byte order mark
        self._started = False
        self._after_cr = False  # a line feed that comes now belongs to the line end before it
        self._pending: list[bytes] = []  # the begun line
        self._size = 0  # bytes of the begun event
        self._name = ""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """The events that the piece completes.

        Raises:
            ResponseTooLargeError: one event is over the cap.
            BadResponseError: one is not UTF-8.
        """
        if not self._started:
            piece = self._without_mark(piece)
        # What nearly every piece is: one event of one line, nothing before it begun.
        if (
            piece.startswith(b"data: ")
            and not self._pending
            and not self._data
            and not self._name
            and not self._after_cr
            and piece.find(b"\n") == len(piece) - 2
            and piece.endswith(b"\n\n")
            and b"\r" not in piece
            and len(piece) <= self._max
        ):
            self._size = 0
            return [ServerEvent("", decoded(piece[6:-2]))]
        if self._after_cr or b"\r" in piece:
            piece = self._with_line_feeds(piece)
        begun, line_end, rest = piece.rpartition(b"\n")
        events: list[ServerEvent] = []
        if line_end:
            self._pending.append(begun)
            block = b"".join(self._pending)
            self._pending = []
            for line in block.split(b"\n"):
                self._read(line, events)
        if rest:
            self._pending.append(rest)
            self._grow(len(rest))
        return events

    def _without_mark(self, piece: bytes) -> bytes:
        piece = self._start + piece
        if len(piece) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(piece):
            self._start = piece
            return b""
        self._started, self._start = True, b""
        return piece.removeprefix(_BYTE_ORDER_MARK)

    def _with_line_feeds(self, piece: bytes) -> bytes:
        """A carriage return ends a line at once; whether a line feed follows is not waited for."""
        if not piece:
            return piece
        if self._after_cr:
            piece = piece.removeprefix(b"\n")
            if not piece:
                self._after_cr = False
                return piece
        self._after_cr = piece.endswith(b"\r")
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._max:
            raise ResponseTooLargeError(f"one event of the stream is over {self._max} bytes")

    def _read(self, line: bytes, events: list[ServerEvent]) -> None:
        if not line:
            if self._data:
                data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
                events.append(ServerEvent(self._name, decoded(data)))
                self._data = []
            self._name = ""
            self._size = 0
            return
        field, _, value = line.partition(b":")
        if field == b"data":
            value = value.removeprefix(b" ")
            self._data.append(value)
            self._grow(len(value) + 1)
        elif field == b"event":
            self._name = decoded(value.removeprefix(b" "))
