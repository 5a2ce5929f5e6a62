"""Dense search with FAISS, and its file: a cache of the catalog's vectors that names the commit it reflects.

The file is FAISS's own format with a trailer behind it that FAISS does not read::

    FAISS bytes | JSON {commit, index_id, count, size, checksum} | its length, 4 bytes | MAGIC
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from rag_engine.errors import CacheDamagedError, StorageFullError
from rag_engine.index.files import replaced
from rag_engine.types.retrieval import ScoredChunk

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers, Vectors

FILE_NAME = "dense.faiss"
MAGIC = b"RAGDENSE"
_PORTION = 1 << 20


@dataclass(frozen=True, slots=True)
class _Trailer:
    commit: int
    index_id: str
    count: int
    size: int
    checksum: int


class FaissIndex:
    """Exact inner-product search over all vectors (faiss.IndexFlatIP), by chunk number, with removal."""

    def __init__(self, dimension: int) -> None:
        self._index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """Of the vectors."""
        return int(self._index.d)

    def add(self, numbers: Numbers, vectors: Vectors) -> None:
        """Adds vectors, shape (n, dimension), under chunk numbers, shape (n,), not held yet."""
        self._index.add_with_ids(np.ascontiguousarray(vectors, dtype=np.float32), numbers)

    def remove(self, numbers: Numbers) -> None:
        """Removes the vectors of these chunks; unknown numbers are passed over."""
        self._index.remove_ids(faiss.IDSelectorBatch(numbers))

    def numbers(self) -> Numbers:
        """The chunk numbers held, ascending."""
        return np.sort(faiss.vector_to_array(self._index.id_map))

    def search(self, vector: Vectors, depth: int, *, among: Numbers | None = None) -> list[ScoredChunk]:
        """The ``depth`` best chunks for a vector of shape (dimension,), best first, ties by number;
        only chunks of ``among`` where it is given. The filter works inside the search."""
        depth = min(depth, len(self) if among is None else len(among))
        if depth == 0 or len(self) == 0:
            return []
        selector = None if among is None else faiss.IDSelectorBatch(among)
        parameters = None if selector is None else faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # the stub knows no keywords
        scores, numbers = self._index.search(vector[np.newaxis, :], depth, params=parameters)
        found = numbers[0] >= 0
        hits = [ScoredChunk(int(n), float(s)) for n, s in zip(numbers[0][found], scores[0][found], strict=True)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk))

    def save(self, path: Path, *, commit: int, index_id: str) -> None:
        """Writes the file; it is replaced whole or not at all."""
        with replaced(path) as unfinished:
            try:
                faiss.write_index(self._index, str(unfinished))
            except RuntimeError as error:  # FAISS says only in words that the disk is full
                raise StorageFullError(f"{path} could not be written ({error})", hint="check the disk") from error
            size, checksum = _checksum(unfinished, unfinished.stat().st_size)
            trailer = json.dumps(asdict(_Trailer(commit, index_id, len(self), size, checksum))).encode()
            with unfinished.open("ab") as file:
                file.write(trailer + struct.pack("<I", len(trailer)) + MAGIC)
                file.flush()
                os.fsync(file.fileno())

    @classmethod
    def load(cls, path: Path, *, dimension: int, index_id: str) -> tuple[FaissIndex, int]:
        """The index in the file and the commit it reflects.

        Raises:
            CacheDamagedError: the file is absent, not whole, or another index's.
        """
        if not path.exists():
            raise CacheDamagedError(f"{path} is absent")
        try:
            trailer = _read_trailer(path)
            if trailer.index_id != index_id:
                raise CacheDamagedError(f"{path} belongs to another index")
            if _checksum(path, trailer.size) != (trailer.size, trailer.checksum):
                raise CacheDamagedError(f"{path} is damaged: its checksum does not fit")
            loaded = faiss.read_index(str(path))
        except (OSError, ValueError, KeyError, TypeError, struct.error, RuntimeError) as error:
            raise CacheDamagedError(f"{path} cannot be read: {error}") from error
        index = cls(dimension)
        index._index = loaded
        if loaded.d != dimension or loaded.ntotal != trailer.count:
            raise CacheDamagedError(f"{path} holds {loaded.ntotal} vectors of dimension {loaded.d}, not what it says")
        return index, trailer.commit


def _read_trailer(path: Path) -> _Trailer:
    with path.open("rb") as file:
        file.seek(-(len(MAGIC) + 4), os.SEEK_END)
        length, magic = struct.unpack("<I", file.read(4))[0], file.read()
        if magic != MAGIC:
            raise CacheDamagedError(f"{path} is cut short or no index file")
        file.seek(-(len(MAGIC) + 4 + length), os.SEEK_END)
        return _Trailer(**json.loads(file.read(length)))


def _checksum(path: Path, size: int) -> tuple[int, int]:
    """How many of the first ``size`` bytes there are, and their CRC-32."""
    checksum, left = 0, size
    with path.open("rb") as file:
        while left and (portion := file.read(min(_PORTION, left))):
            checksum = zlib.crc32(portion, checksum)
            left -= len(portion)
    return size - left, checksum
