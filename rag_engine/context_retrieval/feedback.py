"""Dense feedback: the question's vector moved towards what it found first, and compared once more.

Rocchio, "Relevance feedback in information retrieval" (1971), with the best documents taken as relevant; Li, Mourad,
Zhuang et al., "Pseudo relevance feedback with deep language models and dense retrievers" (TOIS 2023). Where one
document stands out of all others, the question has its answer and is left as it is: to move it would only bring more of
the same. Chosen by quality/uplift in benchmarks/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rag_engine.types.retrieval import ChunkPlace, ScoredChunk

if TYPE_CHECKING:
    from rag_engine.protocols import DenseIndex, Vectors

_DOCUMENTS = 2
_REACH = 8  # chunks on each side of the best one that speak for its document
# Cosine by which the tenth hit lies below the first: up to the lower one the question is moved in full, from the upper
# one on not at all.
_FULL, _NONE = 0.10, 0.25
_TENTH = 10


def feedback_share(dense: Sequence[ScoredChunk], *, most: float) -> float:
    """How far the question should be moved, from 0 to ``most``."""
    if len(dense) < 2:
        return 0.0
    fall = dense[0].score - dense[:_TENTH][-1].score
    return most * min(1.0, max(0.0, (_NONE - fall) / (_NONE - _FULL)))


def moved(
    question: Vectors,
    ranking: Sequence[tuple[int, float]],
    places: Mapping[int, ChunkPlace],
    *,
    share: float,
    around: Callable[[ChunkPlace, int], Sequence[ChunkPlace]],
    index: DenseIndex,
) -> Vectors:
    """The question's unit vector, shape (dimension,), moved by ``share`` of the way towards the mean of the documents
    that are ranked best, each the mean of its chunks around the best one, by their tokens."""
    import numpy as np

    seen: set[int] = set()
    means = []
    for chunk, _ in ranking:
        place = places.get(chunk)
        if place is None or place.document in seen:
            continue
        seen.add(place.document)
        beside = sorted(around(place, _REACH))
        vectors = index.vectors(np.array([one.chunk for one in beside], dtype=np.int64))
        if len(vectors) == len(beside):
            mean = np.array([max(1, one.tokens) for one in beside], dtype=np.float32) @ vectors
            means.append(mean / max(float(np.linalg.norm(mean)), 1e-9))
        if len(seen) == _DOCUMENTS:
            break
    if not means:
        return question
    towards = (1 - share) * question + share * np.mean(means, axis=0)
    vector: Vectors = (towards / max(float(np.linalg.norm(towards)), 1e-9)).astype(np.float32)
    return vector
