"""Full vectors with the numbers of their chunks, by position; removal marks a position and moves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from rag_engine.index.dense.column import Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag_engine.protocols import Numbers, Vectors

# Rows that are worked on together: 30 MB of vectors of 384 dimensions.
PORTION = 20_000


class Rows:
    """Vectors in the order of their numbers. A position is a row's place, removed rows included."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.vectors = Column("<f4", dimension)
        self.chunks = Column("<i8")
        self.removals = Column("<i8")
        self._removed: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self._mark_removed()

    def _mark_removed(self) -> None:
        """Brings the mask, one boolean a position, in line with the columns."""
        self._removed = np.zeros(len(self.chunks), dtype=bool)
        for part in self.removals.parts:
            self._removed[part] = True

    @property
    def columns(self) -> dict[str, Column]:
        """By the name of their files."""
        return {"rows.f32": self.vectors, "numbers.i64": self.chunks, "removed.i64": self.removals}

    def loaded(self) -> None:
        """To be called once the columns are bound to files. Raises ValueError, IndexError where they do not fit."""
        if len(self.vectors) != len(self.chunks):
            raise ValueError(f"{len(self.vectors)} vectors, {len(self.chunks)} numbers")
        self._mark_removed()

    @property
    def total(self) -> int:
        """Positions."""
        return len(self._removed)

    def __len__(self) -> int:
        return self.total - len(self.removals)

    @property
    def live(self) -> NDArray[np.bool_]:
        """One boolean a position: whether its row is still there."""
        return ~self._removed

    @property
    def last_number(self) -> int:
        """The greatest number ever held; -1 before the first."""
        part = self.chunks.parts[-1]
        return int(part[-1]) if len(part) else -1

    def append(self, numbers: Numbers, vectors: Vectors) -> None:
        """Adds rows whose numbers ascend and lie above all that were ever held."""
        self.chunks.append(numbers)
        self.vectors.append(vectors)
        self._removed = np.concatenate([self._removed, np.zeros(len(numbers), dtype=bool)])

    def remove(self, numbers: Numbers) -> None:
        """Marks the rows of these numbers; unknown ones are passed over."""
        positions = self.positions(np.unique(numbers))
        self._removed[positions] = True
        self.removals.append(positions)

    def positions(self, numbers: Numbers) -> Numbers:
        """Positions of those of the ascending numbers that are held, ascending."""
        found, begun = [], 0
        for part in self.chunks.parts:
            places = np.searchsorted(part, numbers)
            places, sought = places[places < len(part)], numbers[places < len(part)]
            found.append(places[part[places] == sought] + begun)
            begun += len(part)
        positions: Numbers = np.concatenate(found)
        return positions[~self._removed[positions]]

    def scored(self, vector: Vectors, positions: Numbers | None) -> tuple[Numbers, NDArray[np.float32]]:
        """Positions and inner products of the rows at ascending positions; of all that are still there without.

        A row's score is the same number however it was come by, so that equal rows tie.
        """
        if positions is not None and len(positions) < self.total / 4:
            return positions, np.vecdot(self.vectors.take(positions), vector)
        # Comparing rows that are not asked for is cheaper than gathering most of them. Not by a product of matrix and
        # vector: BLAS would start threads for that, which costs more than it gains.
        scores = np.concatenate([np.vecdot(part, vector) for part in self.vectors.parts])
        if positions is None:
            if not self._removed.any():
                return np.arange(self.total), scores
            positions = np.flatnonzero(~self._removed)
        return positions, scores[positions]

    def sampled(self, positions: Numbers) -> Vectors:
        """The rows at ascending positions all over the index. The kernel maps what lies around each: on the way, that
        is given back."""
        rows = [self.vectors.take(positions[:0])]
        for start in range(0, self.total, PORTION):
            first, last = np.searchsorted(positions, (start, start + PORTION))
            if last > first:
                rows.append(self.vectors.take(positions[first:last]))
                self.vectors.release()
        return np.concatenate(rows)

    def portions(self) -> Iterator[tuple[Numbers, Vectors]]:
        """Positions and vectors of the rows that are still there, in order, some at a time."""
        for start in range(0, self.total, PORTION):
            positions = start + np.flatnonzero(~self._removed[start : start + PORTION])
            if len(positions):
                yield positions, self.vectors.take(positions)
                self.vectors.release()

    def numbers(self, positions: Numbers) -> Numbers:
        """Chunk numbers at ascending positions."""
        numbers: Numbers = self.chunks.take(positions)
        return numbers
