"""What a search over many rows needs: their codes, and how many candidates are enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag_engine.index.dense.column import Column
from rag_engine.index.dense.recall import LADDER, RecallMeasurement, measure_recall
from rag_engine.index.dense.rows import PORTION, Rows

if TYPE_CHECKING:
    from rag_engine.index.dense.codes import SignCodes
    from rag_engine.protocols import Numbers, Vectors

# Comparing 20,000 rows of 384 dimensions takes a millisecond, from there on codes are faster: benchmarks, speed/dense.
EXACT_UP_TO = 20_000
RECALL_TARGET = 0.99
# Compared in full for each row asked for, at least: the recall target is about the first ten, fusion reads further.
CANDIDATES_A_ROW = 8


class Compression:
    """The codes of some rows, made once there are more than ``exact_up_to``, and the recall measured with them."""

    def __init__(
        self,
        *,
        exact_up_to: int = EXACT_UP_TO,
        recall_target: float = RECALL_TARGET,
        ladder: Sequence[int] = LADDER,
    ) -> None:
        """``ladder`` are the numbers of candidates to choose from, ascending."""
        self.target = recall_target
        self.measured: RecallMeasurement | None = None
        self._exact_up_to = exact_up_to
        self._ladder = ladder
        self._codes: SignCodes | None = None

    @property
    def columns(self) -> dict[str, Column]:
        """By the name of their files; none where there are no codes."""
        return {} if self._codes is None else self._codes.columns

    def begin(self, dimension: int) -> None:
        """Makes place for codes."""
        from rag_engine.index.dense.codes import SignCodes  # with FAISS, which a small index never needs

        self._codes = SignCodes(dimension)

    def forget(self) -> None:
        """Drops the codes, whose rows are no longer at their positions."""
        self._codes = None

    @property
    def coded(self) -> int:
        """Positions that have a code: the first ones."""
        return 0 if self._codes is None else len(self._codes)

    def is_due(self, rows: Rows) -> bool:
        """Whether so many rows have no code that searching them takes longer than need be."""
        return len(rows) > self._exact_up_to and rows.total - self.coded > self._exact_up_to

    def prepare(self, rows: Rows) -> Iterator[None]:
        """Codes what has no code yet, yielding now and then, and measures the recall where that is due."""
        many = len(rows) > self._exact_up_to
        if self._codes is None and many:
            self.begin(rows.dimension)
        if self._codes is None:
            return
        if not self._codes.centred:
            live = np.flatnonzero(rows.live)
            self._codes.centre_on(rows.sampled(live[:: -(-len(live) // PORTION)]))
        for start in range(self.coded, rows.total, PORTION):
            positions = np.arange(start, min(start + PORTION, rows.total), dtype=np.int64)
            self._codes.append(rows.vectors.take(positions))
            rows.vectors.release()
            yield
        if many and (self.measured is None or self.measured.outgrown_by(len(rows))):
            self.measured = measure_recall(rows, self._codes, ladder=self._ladder)

    def candidates(self, rows: Rows) -> int | None:
        """How many rows a search compares in full, at least; None where it compares all."""
        if self._codes is None or self.measured is None or len(rows) <= self._exact_up_to:
            return None
        return self.measured.candidates(self.target)

    def narrowed(self, rows: Rows, vector: Vectors, depth: int, positions: Numbers | None) -> Numbers | None:
        """Positions worth comparing in full for the best ``depth``, ascending; of ``positions`` where these are given.

        None where all rows are to be compared.
        """
        candidates = self.candidates(rows)
        if self._codes is None or candidates is None:
            return positions
        wanted = max(candidates, CANDIDATES_A_ROW * depth)
        if positions is not None and len(positions) <= wanted:
            return positions
        admitted = rows.live
        if positions is not None:
            admitted = np.zeros(rows.total, dtype=bool)
            admitted[positions] = True
        among = None if admitted.all() else admitted
        near = self._codes.nearest(vector[np.newaxis], wanted, among=among)[0]
        behind = self.coded + np.flatnonzero(admitted[self.coded :])
        return np.sort(np.concatenate([near[near >= 0], behind]))
