"""One writer at a time: a lock that dies with its process, and a note of who holds it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from rag_engine.errors import IndexLockedError
from rag_engine.index.files import writing

FILE_NAME = "writer.lock"
HOLDER_NAME = "writer.json"


@contextlib.contextmanager
def writer_lock(folder: Path, *, wait_seconds: float, purpose: str) -> Iterator[None]:
    """Holds the right to write to the index in ``folder`` for the block.

    The operating system frees the lock when the process ends, however it ends.

    Raises:
        IndexLockedError: another process still holds it after ``wait_seconds``; says which and since when.
        IndexReadOnlyError: the folder cannot be written.
    """
    lock = FileLock(folder / FILE_NAME)
    try:
        with writing(folder):
            lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise IndexLockedError(
            f"the index {folder.name} is being written by {holder(folder)}; waited {wait_seconds:.0f} s"
        ) from error
    try:
        note = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "purpose": purpose,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with writing(folder):
            (folder / HOLDER_NAME).write_text(json.dumps(note), encoding="utf-8")
        yield
    finally:
        (folder / HOLDER_NAME).unlink(missing_ok=True)
        lock.release()


def holder(folder: Path) -> str:
    """Who holds the lock, in words."""
    try:
        note = json.loads((folder / HOLDER_NAME).read_text(encoding="utf-8"))
        return f"process {note['pid']} on {note['host']} ({note['purpose']}, since {note['since']})"
    except (OSError, ValueError, KeyError):
        return "another process"
