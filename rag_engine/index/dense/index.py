"""Nearest neighbours at every size: all rows compared while they are few, sign codes first where they are many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag_engine.errors import CacheDamagedError
from rag_engine.index.dense.column import Column
from rag_engine.index.dense.compression import Compression
from rag_engine.index.dense.files import DenseFiles, Manifest, check_files, read_manifest
from rag_engine.index.dense.recall import RecallMeasurement
from rag_engine.index.dense.rows import Rows
from rag_engine.types.health import DenseState
from rag_engine.types.retrieval import ScoredChunk

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers, Vectors

# The share of removed rows from which on the rest is written anew without them.
MOST_REMOVED = 0.3


class FaissIndex:
    """Inner-product search by chunk number, in memory or in a folder; adding and removing do not rebuild it.

    While vectors are few, all are compared. Where they are many, FAISS finds candidates by their sign codes, and only
    these are compared in full: as many as the recall target needs, by what was measured on the index's own vectors.
    """

    def __init__(
        self,
        dimension: int,
        *,
        compression: Compression | None = None,
        folder: Path | None = None,
        index_id: str = "",
    ) -> None:
        """A new, empty index; in a folder it takes the old one's place once it is saved, in memory without one.

        ``index_id`` is the name of the catalog that it is a cache of.
        """
        self.commit = 0
        self._rows = Rows(dimension)
        self._compression = compression or Compression()
        self._files = None if folder is None else DenseFiles(folder)
        self._index_id = index_id
        self._bytes = 0
        self._doubtful = False

    @classmethod
    def open(
        cls, folder: Path, *, index_id: str, compression: Compression | None = None, read: bool = False
    ) -> FaissIndex:
        """The index in ``folder``, mapped into memory. Files that nobody touched are taken as whole, unless ``read``.

        Raises:
            CacheDamagedError: it is absent, not whole, or another index's.
        """
        manifest = read_manifest(folder, index_id=index_id)
        index = cls(manifest.dimension, compression=compression, folder=folder, index_id=index_id)
        index._doubtful = check_files(folder, manifest, read=read) and not read
        try:
            index._map(folder, manifest)
        except (OSError, ValueError, IndexError) as error:
            raise CacheDamagedError(f"{folder} does not fit together: {error}") from error
        return index

    def _map(self, folder: Path, manifest: Manifest) -> None:
        self._files = files = DenseFiles(folder, manifest.generation)
        self.commit, self._bytes = manifest.commit, manifest.bytes
        if manifest.holds("codes.u8"):
            self._compression.begin(self.dimension)
        files.bind(self._columns, manifest.files)
        self._rows.loaded()
        if self._compression.coded > self._rows.total:
            raise ValueError("more codes than rows")
        if manifest.measured is not None:
            self._compression.measured = RecallMeasurement(manifest.measured, manifest.recalls)

    @property
    def _columns(self) -> dict[str, Column]:
        return {**self._rows.columns, **self._compression.columns}

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def dimension(self) -> int:
        """Of the vectors."""
        return self._rows.dimension

    def numbers(self) -> Numbers:
        """The chunk numbers held, ascending."""
        return self._rows.numbers(np.flatnonzero(self._rows.live))

    def state(self) -> DenseState:
        """How it searches, and how well."""
        candidates, measured = self._compression.candidates(self._rows), self._compression.measured
        return DenseState(
            kind="exact" if candidates is None else "compressed",
            count=len(self),
            candidates=candidates,
            recall=1.0 if candidates is None or measured is None else measured.recalls[candidates],
            target=self._compression.target,
            bytes=self._bytes,
        )

    def add(self, numbers: Numbers, vectors: Vectors) -> None:
        """Adds vectors, shape (n, dimension), under chunk numbers, shape (n,), not held yet."""
        if not len(numbers):
            return
        if numbers.min() <= self._rows.last_number:  # never a catalog's: it gives no number twice
            live = np.flatnonzero(self._rows.live)
            numbers = np.concatenate([self._rows.numbers(live), numbers])
            vectors = np.concatenate([self._rows.vectors.take(live), vectors])
            self._begin_anew()
        order = np.argsort(numbers)
        self._rows.append(numbers[order], vectors[order])

    def remove(self, numbers: Numbers) -> None:
        """Removes the vectors of these chunks; unknown numbers are passed over."""
        self._rows.remove(numbers)
        if self._files is None:
            self._compact()

    def search(self, vector: Vectors, depth: int, *, among: Numbers | None = None) -> list[ScoredChunk]:
        """The ``depth`` best chunks for a vector of shape (dimension,), best first, ties by number;
        only chunks of ``among`` where it is given. The filter works inside the search."""
        if depth < 1 or not len(self):
            return []
        if self._compression.is_due(self._rows):  # of rows in memory; a folder's are coded when it is saved
            for _ in self._compression.prepare(self._rows):
                pass
        positions = None if among is None else self._rows.positions(np.unique(among))
        positions = self._compression.narrowed(self._rows, vector, depth, positions)
        positions, scores = self._rows.scored(vector, positions)
        if len(scores) > depth:
            good = scores >= np.partition(scores, -depth)[-depth]
            positions, scores = positions[good], scores[good]
        numbers = self._rows.numbers(positions)
        order = np.lexsort((numbers, -scores))[:depth]
        return [ScoredChunk(int(numbers[place]), float(scores[place])) for place in order]

    def vectors(self, chunks: Numbers) -> Vectors:
        """The vectors of these chunks, ascending numbers without doubles, shape (n, dimension); unknown ones are
        passed over."""
        vectors: Vectors = self._rows.vectors.take(self._rows.positions(chunks))
        return vectors

    # Its folder -----------------------------------------------------------------------------------

    @property
    def wants_saving(self) -> bool:
        """Whether others would be better off: files that were touched are read at every opening, and what codes are
        missing is made up for at every search."""
        return self._doubtful or self._compression.is_due(self._rows)

    def detach(self) -> None:
        """Leaves its files to others: what is added from now on stays in memory, and nothing is written any more."""
        self._files = None

    def flush(self) -> None:
        """Writes new rows to the files, so that they need no memory; they count only once the index is saved.

        Raises:
            StorageFullError, IndexReadOnlyError, StorageError: see these.
        """
        if self._files is not None:
            self._files.flush(self._columns)

    def save(self, *, commit: int) -> None:
        """Makes what was added and removed count, as that of ``commit``: from now on others see it.

        Raises:
            StorageFullError, IndexReadOnlyError, StorageError: see these; others see what they saw.
        """
        if self._files is None:
            raise ValueError("an index in memory cannot be saved")
        self._compact()
        self.flush()
        for _ in self._compression.prepare(self._rows):
            self.flush()
        measured = self._compression.measured
        self._bytes = self._files.save(
            self._columns,
            index_id=self._index_id,
            commit=commit,
            dimension=self.dimension,
            measured=None if measured is None else measured.count,
            recalls={} if measured is None else measured.recalls,
        )
        self.commit, self._doubtful = commit, False

    def _compact(self) -> None:
        """Leaves removed rows out once they are many; in a folder by a new generation of files."""
        rows = self._rows
        if len(rows) >= (1 - MOST_REMOVED) * rows.total:
            return
        self._begin_anew()
        for positions, vectors in rows.portions():
            self._rows.append(rows.numbers(positions), vectors)
            self.flush()

    def _begin_anew(self) -> None:
        self._rows = Rows(self.dimension)
        self._compression.forget()
        if self._files is not None:
            self._files = DenseFiles(self._files.folder)
