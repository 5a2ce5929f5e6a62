"""Exact nearest neighbours in NumPy: the oracle that faster indexes are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rag_engine.types.retrieval import ScoredChunk

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers, Vectors


class ExactIndex:
    """All inner products, sorted. Linear in everything and easy to believe."""

    def __init__(self, dimension: int) -> None:
        self._numbers: Numbers = np.empty(0, dtype=np.int64)
        self._vectors: Vectors = np.empty((0, dimension), dtype=np.float32)

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, numbers: Numbers, vectors: Vectors) -> None:
        """Adds vectors, shape (n, dimension), under chunk numbers, shape (n,), not held yet."""
        self._numbers = np.concatenate([self._numbers, numbers])
        self._vectors = np.concatenate([self._vectors, vectors])

    def remove(self, numbers: Numbers) -> None:
        """Removes the vectors of these chunks; unknown numbers are passed over."""
        kept = ~np.isin(self._numbers, numbers)
        self._numbers, self._vectors = self._numbers[kept], self._vectors[kept]

    def vectors(self, chunks: Numbers) -> Vectors:
        """The vectors of these chunks, ascending numbers without doubles, shape (n, dimension); unknown ones are
        passed over."""
        held = chunks[np.isin(chunks, self._numbers)]
        order = np.argsort(self._numbers)
        vectors: Vectors = self._vectors[order[np.searchsorted(self._numbers, held, sorter=order)]]
        return vectors

    def search(self, vector: Vectors, depth: int, *, among: Numbers | None = None) -> list[ScoredChunk]:
        """The ``depth`` best chunks for a vector of shape (dimension,), best first, ties by number."""
        admitted = np.ones(len(self._numbers), dtype=bool) if among is None else np.isin(self._numbers, among)
        numbers, scores = self._numbers[admitted], self._vectors[admitted] @ vector
        order = np.lexsort((numbers, -scores))[:depth]
        return [ScoredChunk(int(numbers[i]), float(scores[i])) for i in order]
