"""Server-sent events (WHATWG HTML, section 9.2) from bytes as they come, however they are cut."""

from __future__ import annotations

import codecs
from typing import NamedTuple


class ServerEvent(NamedTuple):
    """One event of a stream: its name, empty where it has none, and its data. Of JSON lines, the data is the line."""

    name: str
    data: str


class EventStream:
    """Fed with pieces, gives events. An event that no blank line ends is none: where a stream breaks off, it is
    dropped."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""  # the begun line
        self._after_cr = False  # a line feed that comes now belongs to the line end before it
        self._started = False
        self._name = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """The events that the piece completes."""
        text = self._decoder.decode(piece)
        if not text:
            return []
        if not self._started:
            self._started = True
            text = text.removeprefix("\ufeff")
        if self._after_cr and text.startswith("\n"):
            text = text[1:]
        self._after_cr = text.endswith("\r")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        first, *others = text.split("\n")
        if not others:
            self._pending += first
            return []
        lines = [self._pending + first, *others]
        self._pending = lines.pop()
        events: list[ServerEvent] = []
        for line in lines:
            self._read(line, events)
        return events

    def _read(self, line: str, events: list[ServerEvent]) -> None:
        if not line:
            if self._data:
                events.append(ServerEvent(self._name, "\n".join(self._data)))
                self._data = []
            self._name = ""
            return
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
