"""Rows of one kind: those in a file, memory-mapped, and behind them those that are only in memory yet."""

from __future__ import annotations

import mmap
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag_engine.errors import CacheDamagedError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from rag_engine.protocols import Numbers

_PORTION = 1 << 20


@dataclass(frozen=True, slots=True)
class FileState:
    """What a file holds as far as the manifest goes: bytes, time of change in nanoseconds, CRC-32 of these bytes.

    Bytes behind ``size`` are left by a process that was killed; the next one writes over them.
    """

    size: int
    modified: int
    checksum: int

    def check(self, path: Path, *, read: bool) -> bool:
        """Whether the file was read to be certain: where its time differs, or ``read`` asks for it.

        Raises:
            CacheDamagedError: the file is shorter than this or holds other bytes.
        """
        status = path.stat()
        if status.st_size < self.size:
            raise CacheDamagedError(f"{path} is cut short")
        if status.st_mtime_ns == self.modified and not read:
            return False
        if _checksum(path, self.size) != self.checksum:
            raise CacheDamagedError(f"{path} is damaged: its checksum does not fit")
        return True


class Column:
    """An append-only array of rows of one shape.

    Files only grow and are never cut, so that processes that have them mapped are not disturbed.
    """

    def __init__(self, dtype: DTypeLike, width: int | None = None) -> None:
        """Rows of ``width`` values, of single values without it; in memory until ``keep_in``."""
        self._empty: NDArray[Any] = np.empty((0,) if width is None else (0, width), dtype=np.dtype(dtype))
        self._stored = self._empty
        self._mapping: mmap.mmap | None = None
        self._fresh: list[NDArray[Any]] = []
        self._path: Path | None = None
        self._size = self._checksum = 0

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    @property
    def parts(self) -> list[NDArray[Any]]:
        """All rows in order, in at most two contiguous arrays."""
        if len(self._fresh) > 1:
            self._fresh = [np.concatenate(self._fresh)]
        return [part for part in (self._stored, *self._fresh) if len(part)] or [self._empty]

    def append(self, rows: NDArray[Any]) -> None:
        """Adds rows behind the last, in memory."""
        self._fresh.append(np.ascontiguousarray(rows, dtype=self._empty.dtype))

    def take(self, positions: Numbers) -> NDArray[Any]:
        """The rows at ascending positions."""
        taken, begun = [], 0
        for part in self.parts:
            first, last = np.searchsorted(positions, (begun, begun + len(part)))
            if last > first:
                taken.append(part[positions[first:last] - begun])
            begun += len(part)
        return taken[0] if len(taken) == 1 else np.concatenate(taken or [self._empty])

    @property
    def kept(self) -> bool:
        """Whether there is a file that the column goes to."""
        return self._path is not None

    def keep_in(self, path: Path, state: FileState | None = None) -> None:
        """Binds the column to a file, whose rows come first; a new one without ``state``."""
        self._path = path
        if state is not None:
            self._size, self._checksum = state.size, state.checksum
            self._map()

    def flush(self) -> None:
        """Writes what is only in memory behind the rows in the file. Raises OSError."""
        fresh = [part for part in self._fresh if len(part)]
        if self._path is None or not fresh:
            return
        size, checksum = self._size, self._checksum
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o666)
        try:
            for part in fresh:
                rest = memoryview(part.data).cast("B")
                checksum = zlib.crc32(rest, checksum)
                while len(rest):
                    written = os.pwrite(descriptor, rest, size)
                    size, rest = size + written, rest[written:]
        finally:
            os.close(descriptor)
        self._size, self._checksum, self._fresh = size, checksum, []
        self._map()

    def seal(self) -> FileState | None:
        """What the file holds, once that outlives a power cut; None where nothing was ever written. Raises OSError."""
        if self._path is None or not self._size:
            return None
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            return FileState(self._size, os.fstat(descriptor).st_mtime_ns, self._checksum)
        finally:
            os.close(descriptor)

    def release(self) -> None:
        """Gives back the memory that mapped rows take after they were read; they are read anew where they are needed.
        For who passes over all rows once."""
        if self._mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._mapping.madvise(mmap.MADV_DONTNEED)

    def _map(self) -> None:
        row_bytes = self._empty.dtype.itemsize * int(np.prod(self._empty.shape[1:]))
        if self._size % row_bytes:
            raise CacheDamagedError(f"{self._path} does not hold whole rows")
        if self._size:
            shape = (self._size // row_bytes, *self._empty.shape[1:])
            mapped: Any = np.memmap(self._path, dtype=self._empty.dtype, mode="r", shape=shape)  # type: ignore[call-overload]
            self._stored, self._mapping = np.asarray(mapped), mapped._mmap


def _checksum(path: Path, size: int) -> int:
    """CRC-32 of the first ``size`` bytes."""
    checksum, left = 0, size
    with path.open("rb") as file:
        while left and (portion := file.read(min(_PORTION, left))):
            checksum = zlib.crc32(portion, checksum)
            left -= len(portion)
    return checksum
