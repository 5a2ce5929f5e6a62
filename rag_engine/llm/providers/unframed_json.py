"""JSON that stands beside the events of a stream: so Google, and proxies of others, report errors midway."""

from __future__ import annotations

import json
import re

from rag_engine.llm.transport import EventStream, ServerEvent

# The longest that is waited for. Reports of errors have some thousand bytes.
LONGEST = 16 << 10
_LINE_WITH_JSON = re.compile(rb"[\r\n][{\[]")
_DECODER = json.JSONDecoder()


class UnframedJson:
    """Reads as an EventStream does, and makes an event too of a JSON object or list that begins a line by itself.

    By the letter such lines are fields of no known name and say nothing. By what is on the wire they are the report of
    an error, over several lines and without the blank line that ends an event; to pass over them would leave only that
    the answer has no end.
    """

    def __init__(self, events: EventStream) -> None:
        self._events = events
        self._at_line_start = True
        self._json: bytes | None = None  # what was begun

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """The events that the piece completes, in their order.

        Raises:
            ResponseTooLargeError, BadResponseError: as EventStream.
        """
        events: list[ServerEvent] = []
        while piece:
            if self._json is None:
                begin = self._beginning(piece)
                if begin is None:
                    self._at_line_start = piece.endswith((b"\n", b"\r"))
                    read = self._events.feed(piece)
                    return events + read if events else read
                events += self._events.feed(piece[:begin])
                self._json, piece = b"", piece[begin:]
            piece = self._continued(self._json, piece, events)
        return events

    def _beginning(self, piece: bytes) -> int | None:
        if self._at_line_start and piece[:1] in (b"{", b"["):
            return 0
        found = _LINE_WITH_JSON.search(piece)
        return found.start() + 1 if found else None

    def _continued(self, begun: bytes, piece: bytes, events: list[ServerEvent]) -> bytes:
        """What stands behind the JSON, where the piece ends it."""
        if len(begun) > LONGEST:
            return b""  # nothing behind it can be trusted to be whole: the end will be missed
        self._json = begun + piece
        if b"}" not in piece and b"]" not in piece:
            return b""
        try:
            text = self._json.decode()
            _, end = _DECODER.raw_decode(text)
        except (ValueError, RecursionError):
            return b""
        self._json, self._at_line_start = None, False
        events.append(ServerEvent("", text[:end]))
        return text[end:].encode()
