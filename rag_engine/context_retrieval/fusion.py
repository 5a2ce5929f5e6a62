"""Fusing two rankings: a weighted mean of both legs' min-max normalised scores.

Wu, Crestani, Bi, "Evaluating score normalization methods in data fusion" (AIRS 2006); Bruch, Gai, Ingber, "An analysis
of fusion functions for hybrid retrieval" (TOIS 2023). Chosen over reciprocal rank fusion by the rows quality/*-hybrid
of benchmarks/README.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice

from rag_engine.types.retrieval import ScoredChunk

# The dense leg's weight in logits, and how it grows with the fall of its scores from the first hit to the last, in
# cosine: where few chunks stand out of the rest it knows what it is looking for. Fitted on questions as they are, with
# words replaced and with vectors disturbed, each set predicted from the others: quality/uplift in
# benchmarks/README.md.
_WEIGHT, _SLOPE, _USUAL_FALL = 0.2, 1.0, 0.33


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


def dense_weight(dense: Sequence[ScoredChunk], lexical: Sequence[ScoredChunk], *, depth: int, offset: float) -> float:
    """The dense leg's share of a fused score, 0 to 1, told from how its scores fall; ``offset``, in logits, is what a
    gold set of the corpus says of it. A leg that found nothing has no share."""
    if not dense or not lexical:
        return float(bool(dense))
    fall = dense[0].score - dense[min(depth, len(dense)) - 1].score
    return 1 / (1 + math.exp(-(_WEIGHT + offset + _SLOPE * (fall - _USUAL_FALL))))


def logit(share: float) -> float:
    """The log-odds of a share between 0 and 1."""
    return math.log(share / (1 - share))


def fuse(weighted: Sequence[tuple[float, Mapping[int, float]]], *, depth: int) -> list[tuple[int, float]]:
    """Chunks and fused scores, best first, ties by number: the weighted sum of each leg's normalised scores, whose
    weights add up to 1.

    The first ``depth`` hits of each leg are fused; a chunk that a leg did not bring there scores 0 in
    it. What a leg found beyond comes after all of these, so that asking for more results changes
    none of those before.
    """
    fused: dict[int, float] = {}
    for weight, scores in weighted:
        for chunk, score in islice(scores.items(), depth):
            fused[chunk] = fused.get(chunk, 0.0) + weight * score
    beyond: dict[int, float] = {}
    for _, scores in weighted:
        for chunk, score in islice(scores.items(), depth, None):
            if chunk not in fused:
                beyond[chunk] = max(min(score, 0.0), beyond.get(chunk, -float("inf")))
    return [*ranked(fused), *ranked(beyond)]


def ranked(scores: Mapping[int, float]) -> list[tuple[int, float]]:
    """Chunks with their scores, best first, ties by number."""
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
