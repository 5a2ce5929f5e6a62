"""What comes after a search has found its passages: a reranker judges the first, and those that repeat come later."""

from __future__ import annotations

from dataclasses import replace

from rag_engine import tracing
from rag_engine.context_retrieval.diversify import DIVERSIFIED, diversified
from rag_engine.context_retrieval.rerank import reranked
from rag_engine.protocols import IndexView, Reranker
from rag_engine.types.retrieval import Passage


class PassageOrder:
    """Puts passages in another order."""

    def __init__(
        self,
        *,
        reranker: Reranker | None = None,
        rerank_depth: int = 30,
        rerank_weight: float = 0.7,
        diversity: float = 0.0,
    ) -> None:
        """A ``reranker`` judges the first ``rerank_depth`` passages, and has ``rerank_weight`` of their score. With
        ``diversity``, from 0 to 1, passages that say what one before them says come later."""
        self._reranker = reranker
        self._rerank_depth = rerank_depth
        self._rerank_weight = rerank_weight
        self._diversity = diversity

    @property
    def looked_at(self) -> int:
        """Passages that are put in another order, whatever the number of results asked for."""
        judged = self._rerank_depth if self._reranker is not None else 0
        return max(judged, DIVERSIFIED if self._diversity else 0)

    @property
    def needs_vectors(self) -> bool:
        """Whether chunks' vectors are looked at."""
        return self._diversity > 0

    def ordered(self, passages: list[Passage], question: str, view: IndexView) -> list[Passage]:
        """The passages, best first, in their new order."""
        if self._reranker is not None:
            with tracing.span("retrieval rerank"):
                passages = reranked(
                    self._reranker, question, passages, depth=self._rerank_depth, weight=self._rerank_weight
                )
        if self._diversity:
            with tracing.span("retrieval diversify"):
                passages = _diverse(passages, view, diversity=self._diversity)
        return passages


def _diverse(passages: list[Passage], view: IndexView, *, diversity: float) -> list[Passage]:
    """The first passages in the order of maximal marginal relevance. A place's score stays with the place, so that
    scores still fall; what a passage had of itself stands in ``scores`` under ``relevance``."""
    import numpy as np

    first = passages[:DIVERSIFIED]
    chunks = np.unique(np.array([passage.chunk for passage in first], dtype=np.int64))
    vectors = view.dense.vectors(chunks)
    if len(vectors) != len(first):
        return passages  # a chunk was found that has no vector: there is nothing to compare
    rows = vectors[np.searchsorted(chunks, [passage.chunk for passage in first])]
    order = diversified([passage.score for passage in first], rows, diversity=diversity)
    moved_to = [
        replace(
            first[position],
            rank=place.rank,
            score=place.score,
            scores={**first[position].scores, "relevance": first[position].score},
        )
        for place, position in zip(first, order, strict=True)
    ]
    return [*moved_to, *passages[DIVERSIFIED:]]
