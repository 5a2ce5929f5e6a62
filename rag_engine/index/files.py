"""Files that are replaced whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from rag_engine.errors import IndexReadOnlyError, StorageError, StorageFullError


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the operating system raises within the block into StorageErrors that name ``path``."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # not the operating system's: a lock's Timeout is an OSError too
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(f"no space left while writing {path}") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise IndexReadOnlyError(f"{path} cannot be written ({error.strerror})") from error
        raise StorageError(f"{path} cannot be written: {error}", hint="choose another --root") from error


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A path to write to; at the end of the block what is there takes ``path``'s place, durably.

    The file must be synced by the block; the folder is synced here.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with writing(path):
            yield unfinished
            unfinished.replace(path)
            sync_folder(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a small text file; it is replaced whole or not at all."""
    with replaced(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Makes renames within the folder outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
