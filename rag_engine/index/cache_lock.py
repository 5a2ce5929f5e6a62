"""One process at a time writes the caches of an index."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from rag_engine.errors import IndexLockedError
from rag_engine.index.files import writing

LOCK_NAME = "caches.lock"
LOCK_SECONDS = 600.0


@contextlib.contextmanager
def cache_lock(folder: Path) -> Iterator[None]:
    """Holds the right to write the caches in ``folder`` for the block; not to be asked for again within it.

    Raises:
        IndexLockedError: another process has held it all the time.
        IndexReadOnlyError, StorageError: the lock cannot be written.
    """
    lock = FileLock(folder / LOCK_NAME)
    try:
        with writing(folder / LOCK_NAME):
            lock.acquire(timeout=LOCK_SECONDS)
    except Timeout as error:
        raise IndexLockedError(
            f"another process has been at the index files of {folder.name} for {LOCK_SECONDS:.0f} s"
        ) from error
    try:
        yield
    finally:
        lock.release()
