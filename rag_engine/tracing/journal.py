"""traces.jsonl: the last traces of an index, one line each, for whoever asks later, from whatever process.

To write it may cost no operation its answer: no lock is waited for, nothing is synced, and where it cannot be written
that is said once. Several processes append at once; the file is turned over by renaming it, so that none loses a line.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from rag_engine.tracing.trace_record import TraceRecord, parse_trace, trace_line

if TYPE_CHECKING:
    from rag_engine.tracing.spans import Span

FILE_NAME = "traces.jsonl"
EARLIER_NAME = "traces.1.jsonl"

_log = logging.getLogger(__name__)


class TraceJournal:
    """Keeps the last ``keep`` traces in the folder of an index; safe to use from several threads and processes."""

    def __init__(self, folder: Path, *, keep: int, content: bool = False) -> None:
        """With ``keep`` 0 nothing is written. ``content`` says whether texts may stand in traces."""
        self.content = content
        self._path = folder / FILE_NAME
        self._earlier = folder / EARLIER_NAME
        self._keep = keep
        self._writing = threading.Lock()
        self._known = (0, 0, 0)  # inode, bytes and lines of the file when it was last written here
        self._complained = False

    def keep(self, root: Span) -> None:
        """Appends a finished trace; where that cannot be done, says so the first time."""
        if not self._keep:
            return
        try:
            line = trace_line(root)
            with self._writing:
                self._append(line)
        except (OSError, ValueError, RecursionError) as error:
            if not self._complained:
                self._complained = True
                reason = getattr(error, "strerror", None) or error
                _log.warning("traces are not kept: %s: %s", self._path, reason)

    def _append(self, line: bytes) -> None:
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            found = os.fstat(file)
            lines = self._lines(file, found.st_ino, found.st_size)
            if found.st_size and os.pread(file, 1, found.st_size - 1) != b"\n":
                line = b"\n" + line  # what a kill tore stays a line of its own
            if os.write(file, line) < len(line):
                raise OSError(0, "no space left")
            self._known = (found.st_ino, found.st_size + len(line), lines + 1)
            if lines + 1 >= self._keep:
                self._turn_over(file, found.st_ino)
        finally:
            os.close(file)

    def _lines(self, file: int, inode: int, size: int) -> int:
        """How many lines the file has: counted anew where others have written to it."""
        if self._known[:2] == (inode, size):
            return self._known[2]
        lines, offset = 0, 0
        while part := os.pread(file, 1 << 20, offset):
            lines += part.count(b"\n")
            offset += len(part)
        return lines

    def _turn_over(self, file: int, inode: int) -> None:
        """The full file becomes the earlier one: by one process, while others may still append to it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # another one is at it
            return
        if self._path.stat().st_ino == inode:
            self._path.replace(self._earlier)


def read_traces(folder: Path, *, most: int | None = None) -> list[TraceRecord]:
    """The traces kept in the folder of an index, in the order in which they ended, at most the last ``most``.

    Lines that are no traces, as a kill leaves one, are passed over.

    Raises:
        OSError: there is a file, and it cannot be read.
    """
    # This order: a file that is turned over meanwhile is read twice, not passed over. No two lines are the same.
    later, earlier = (_read(folder / name) for name in (FILE_NAME, EARLIER_NAME))
    lines = list(dict.fromkeys([*earlier, *later]))
    records = [record for line in lines if (record := parse_trace(line)) is not None]
    return records if most is None else records[max(0, len(records) - most) :]


def _read(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
