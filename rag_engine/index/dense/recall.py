"""How many candidates a search must compare to find what the exact search finds, measured on the index itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rag_engine.index.dense.rows import Rows

if TYPE_CHECKING:
    from rag_engine.index.dense.codes import SignCodes
    from rag_engine.protocols import Numbers, Vectors

K = 10
QUESTIONS = 200
LADDER = (512, 1024, 2048, 4096, 8192)
# People's questions lie further from the rows than rows do from each other, and miss up to four times as many of their
# neighbours: benchmarks, speed/dense.
QUESTIONS_MISS = 4
# Measured anew when an index has grown by half.
GROWTH = 1.5
_SEED = 11


@dataclass(frozen=True, slots=True)
class RecallMeasurement:
    """Mean recall@10 for each number of candidates, over an index of ``count`` vectors."""

    count: int
    recalls: Mapping[int, float]

    def candidates(self, target: float) -> int | None:
        """The fewest candidates that reach the target for people's questions too; None where none of those measured
        does."""
        wanted = 1 - (1 - target) / QUESTIONS_MISS if target > 0 else 0.0
        return min((candidates for candidates, recall in self.recalls.items() if recall >= wanted), default=None)

    def outgrown_by(self, count: int) -> bool:
        """Whether an index of ``count`` vectors is so much larger that this no longer says anything."""
        return count > GROWTH * self.count


def measure_recall(rows: Rows, codes: SignCodes, *, ladder: Sequence[int] = LADDER) -> RecallMeasurement:
    """Asks the codes and the exact search for the ten nearest rows of 200 questions. The same index, the same answer.

    A question is a row moved by the difference of two others. The row itself does not count.
    """
    generator = np.random.default_rng(_SEED)
    live = np.flatnonzero(rows.live)
    if len(live) < 2:
        return RecallMeasurement(len(live), dict.fromkeys(ladder, 1.0))
    count = min(QUESTIONS, len(live))
    own = np.sort(generator.choice(live, count, replace=False))
    shifts = [np.sort(generator.choice(live, count)) for _ in range(2)]
    order = generator.permutation(count)
    questions = rows.sampled(own) + (rows.sampled(shifts[0]) - rows.sampled(shifts[1]))[order]
    questions /= np.maximum(np.linalg.norm(questions, axis=1, keepdims=True), 1e-12)
    wanted = _exact(rows, questions, own, min(K, len(live) - 1))
    ranked = codes.nearest(questions, ladder[-1] + 1, among=rows.live)
    recalls = {}
    for candidates in ladder:
        # One more, for the row itself may be among them.
        found = [np.isin(best, near[: candidates + 1]).mean() for best, near in zip(wanted, ranked, strict=True)]
        recalls[candidates] = round(float(np.mean(found)), 4)
    return RecallMeasurement(len(live), recalls)


def _exact(rows: Rows, questions: Vectors, own: Numbers, k: int) -> Numbers:
    """Positions of the ``k`` rows nearest to each question but for its own, shape (m, k)."""
    best = np.full((len(questions), k), -np.inf, dtype=np.float32)
    places = np.full((len(questions), k), -1, dtype=np.int64)
    for positions, vectors in rows.portions():
        scores = questions @ vectors.T
        scores[positions == own[:, np.newaxis]] = -np.inf
        near = _largest(scores, k)
        best = np.concatenate([best, np.take_along_axis(scores, near, axis=1)], axis=1)
        places = np.concatenate([places, positions[near]], axis=1)
        top = _largest(best, k)
        best, places = np.take_along_axis(best, top, axis=1), np.take_along_axis(places, top, axis=1)
    return places


def _largest(scores: Vectors, k: int) -> Numbers:
    """Where the ``k`` largest scores of each row stand, in no order; all of them where there are fewer."""
    beyond = max(0, scores.shape[1] - k)
    found: Numbers = np.argpartition(scores, beyond, axis=1)[:, beyond:]
    return found
