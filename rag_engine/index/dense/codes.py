"""Sign codes: a few bytes for each vector, by which FAISS finds the rows that are worth a full comparison.

A vector's code says on which side of hyperplanes it lies. These go through the vectors' mean in random directions, at
least one a dimension, so that the share of differing bits grows with the angle between two vectors.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from rag_engine.index.dense.column import Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag_engine.protocols import Numbers, Vectors

# FAISS compares 64 bytes in one instruction: a code of 48 bytes, one bit for each of 384 dimensions, takes longer.
BITS = 512
_SEED = 7


class SignCodes:
    """Codes of rows, by position."""

    def __init__(self, dimension: int) -> None:
        bits = -(-dimension // BITS) * BITS
        # The hyperplanes' directions, one a column, and below them how far from the origin each plane lies.
        self.planes = Column("<f4", bits)
        self.codes = Column("u1", bits // 8)
        self._dimension = dimension

    @property
    def columns(self) -> dict[str, Column]:
        """By the name of their files."""
        return {"planes.f32": self.planes, "codes.u8": self.codes}

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def centred(self) -> bool:
        """Whether the hyperplanes are laid."""
        return len(self.planes) > 0

    def centre_on(self, sample: Vectors) -> None:
        """Lays the hyperplanes through the mean of ``sample``, shape (n, dimension). Once, before the first code."""
        generator = np.random.default_rng(_SEED)
        bits, dimension = self.planes.parts[0].shape[1], self._dimension
        turns = [
            np.linalg.qr(generator.standard_normal((dimension, dimension)))[0] for _ in range(-(-bits // dimension))
        ]
        directions = np.concatenate(turns, axis=1)[:, :bits].astype(np.float32)
        self.planes.append(np.concatenate([directions, (sample.mean(axis=0) @ directions)[np.newaxis]]))

    def append(self, vectors: Vectors) -> None:
        """Codes the rows of the next positions, shape (n, dimension)."""
        self.codes.append(self._coded(vectors))

    def _coded(self, vectors: Vectors) -> NDArray[np.uint8]:
        (planes,) = self.planes.parts
        return np.packbits(vectors @ planes[:-1] > planes[-1], axis=-1)

    def nearest(self, vectors: Vectors, count: int, *, among: NDArray[np.bool_] | None = None) -> Numbers:
        """Positions of the rows whose codes differ least from those of vectors, shape (m, dimension).

        Shape (m, at most count), the nearest first, -1 where there are fewer; of the positions that
        ``among`` admits, one boolean a position, where it is given.
        """
        asked = self._coded(vectors)
        distances, positions, begun = [], [], 0
        for part in self.codes.parts:
            admitted = None if among is None else among[begun : begun + len(part)]
            near, places = _nearest(asked, part, min(count, len(part)), admitted)
            distances.append(near)
            positions.append(np.where(places < 0, places, places + begun))
            begun += len(part)
        if len(positions) == 1:
            return positions[0]
        order = np.argsort(np.concatenate(distances, axis=1), axis=1, kind="stable")[:, :count]
        return np.take_along_axis(np.concatenate(positions, axis=1), order, axis=1)


def _nearest(
    asked: NDArray[np.uint8], codes: NDArray[np.uint8], count: int, among: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """FAISS's search over codes that lie in an array, a mapped file as it may be. faiss.knn_hamming takes no filter."""
    distances = np.empty((len(asked), count), dtype=np.int32)
    positions = np.empty((len(asked), count), dtype=np.int64)
    heap = faiss.int_maxheap_array_t()
    heap.nh, heap.k = len(asked), count
    heap.val, heap.ids = faiss.swig_ptr(distances), faiss.swig_ptr(positions)
    filters: list[Any] = []
    if among is not None:
        bitmap: Any = np.packbits(among, bitorder="little")
        filters = [faiss.EXACT_TOPK, faiss.IDSelectorBitmap(bitmap)]  # type: ignore[attr-defined, call-arg]  # the stub knows C++ only
    with _one_thread() if len(asked) == 1 else contextlib.nullcontext():
        query, base = faiss.swig_ptr(asked), faiss.swig_ptr(codes)
        faiss.hammings_knn_hc(heap, query, base, len(codes), codes.shape[1], 1, *filters)
    return distances, positions


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """FAISS splits work by questions: with a single one, more threads only wait for each other."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
