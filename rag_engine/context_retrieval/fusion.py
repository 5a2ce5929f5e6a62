"""Fusing two rankings: the mean of both legs' min-max normalised scores.

Wu, Crestani, Bi, "Evaluating score normalization methods in data fusion" (AIRS 2006); chosen over reciprocal
rank fusion by the rows quality/*-hybrid of benchmarks/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag_engine.types.retrieval import ScoredChunk


def normalized(hits: Sequence[ScoredChunk], depth: int) -> dict[int, float]:
    """Scores of one leg, best first, moved to 1 for the best and 0 for the one at rank ``depth``.

    Hits beyond ``depth`` get what follows on the same line, below 0, so that asking for more
    results changes none of those before.
    """
    if not hits:
        return {}
    best, least = hits[0].score, hits[min(depth, len(hits)) - 1].score
    width = best - least
    if width <= 0:
        return {hit.chunk: 1.0 for hit in hits}
    return {hit.chunk: (hit.score - least) / width for hit in hits}


def fuse(legs: Mapping[str, Sequence[ScoredChunk]], *, depth: int) -> list[tuple[int, float]]:
    """Chunks and fused scores, best first, ties by number; a chunk that a leg did not find scores 0 there."""
    scores = [normalized(hits, depth) for hits in legs.values()]
    chunks = {chunk for leg in scores for chunk in leg}
    fused = {chunk: sum(leg.get(chunk, 0.0) for leg in scores) / len(scores) for chunk in chunks}
    return sorted(fused.items(), key=lambda item: (-item[1], item[0]))
