"""Fusing two rankings: the mean of both legs' min-max normalised scores.

Wu, Crestani, Bi, "Evaluating score normalization methods in data fusion" (AIRS 2006); chosen over reciprocal
rank fusion by the rows quality/*-hybrid of benchmarks/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from rag_engine.types.retrieval import ScoredChunk


def normalized(hits: Sequence[ScoredChunk], depth: int) -> dict[int, float]:
    """Scores of one leg, best first, moved to 1 for the best and 0 for the one at rank ``depth``.

    Hits beyond ``depth`` lie on the same line, below 0.
    """
    if not hits:
        return {}
    best, least = hits[0].score, hits[min(depth, len(hits)) - 1].score
    width = best - least
    if width <= 0:
        return {hit.chunk: 1.0 - (rank >= depth) for rank, hit in enumerate(hits)}
    return {hit.chunk: (hit.score - least) / width for hit in hits}


def fuse(legs: Mapping[str, Sequence[ScoredChunk]], *, depth: int) -> list[tuple[int, float]]:
    """Chunks and fused scores, best first, ties by number.

    The first ``depth`` hits of each leg are fused; a chunk that a leg did not bring there scores 0 in
    it. What a leg found beyond comes after all of these, so that asking for more results changes
    none of those before.
    """
    scores = [normalized(hits, depth) for hits in legs.values()]
    fused: dict[int, float] = {}
    for leg in scores:
        for chunk, score in islice(leg.items(), depth):
            fused[chunk] = fused.get(chunk, 0.0) + score / len(scores)
    beyond: dict[int, float] = {}
    for leg in scores:
        for chunk, score in islice(leg.items(), depth, None):
            if chunk not in fused:
                beyond[chunk] = max(min(score, 0.0), beyond.get(chunk, -float("inf")))
    return [*_ranked(fused), *_ranked(beyond)]


def _ranked(scores: Mapping[int, float]) -> list[tuple[int, float]]:
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
