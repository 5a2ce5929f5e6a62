"""What retrieved characters are worth: Chroma's measures over all questions, with what the reader has to read."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rag_engine.evaluation.span_measures import CharacterSpan, precision_omega, score_spans

TOKENS_READ = (250, 500, 750, 1000, 1500, 2000, 3000, 4000)
RECALLS = (0.6, 0.7, 0.8, 0.85, 0.9, 0.95)

Tokens = Callable[[CharacterSpan], int]


def spread(values: Sequence[float], digits: int = 5) -> dict[str, float]:
    """Mean and population standard deviation."""
    return {"mean": round(statistics.fmean(values), digits), "deviation": round(statistics.pstdev(values), digits)}


def retrieval_measures(
    retrieved: Sequence[Sequence[CharacterSpan]], references: Sequence[Sequence[CharacterSpan]], tokens_of: Tokens
) -> dict[str, Any]:
    """Recall, precision and intersection over union of what each question retrieved (``span_measures`` defines them),
    and the mean characters and tokens of it, each chunk counted in full."""
    scores = [score_spans(spans, wanted) for spans, wanted in zip(retrieved, references, strict=True)]
    return {
        "recall": spread([score.recall for score in scores]),
        "precision": spread([score.precision for score in scores]),
        "iou": spread([score.intersection_over_union for score in scores]),
        "read_characters": round(statistics.fmean(sum(span.end - span.start for span in spans) for spans in retrieved)),
        "read_tokens": round(statistics.fmean(sum(map(tokens_of, spans)) for spans in retrieved)),
    }


def recall_curve(
    retrieved: Sequence[Sequence[CharacterSpan]],
    references: Sequence[Sequence[CharacterSpan]],
    tokens_of: Tokens,
    *,
    most: int,
) -> list[dict[str, float]]:
    """Recall against what is read, for the first 1 to ``most`` chunks of each ranking: n, read_tokens, recall, iou."""
    points = []
    for count in range(1, most + 1):
        measured = retrieval_measures([spans[:count] for spans in retrieved], references, tokens_of)
        points.append(
            {
                "n": count,
                "read_tokens": measured["read_tokens"],
                "recall": measured["recall"]["mean"],
                "iou": measured["iou"]["mean"],
            }
        )
    return points


def at_equal_reading(curve: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """The curve at common places, between its points in straight lines, so that chunkers of unlike sizes compare:
    recall at numbers of tokens read, and intersection over union at recalls. Places that it does not reach are absent.
    """
    return {
        "recall_at_tokens": _between(curve, "read_tokens", "recall", TOKENS_READ),
        "iou_at_recall": _between(curve, "recall", "iou", RECALLS),
    }


def _between(curve: Sequence[Mapping[str, float]], across: str, up: str, places: Sequence[float]) -> dict[str, float]:
    xs, ys = [point[across] for point in curve], [point[up] for point in curve]
    reached = [place for place in places if xs[0] <= place <= xs[-1]]
    # Percentages, since a dot would divide the path of a check in conditions.toml.
    names = [f"{place:g}" if place > 1 else f"{place:.0%}" for place in reached]
    return {name: round(float(np.interp(place, xs, ys)), 4) for name, place in zip(names, reached, strict=True)}


def omega(chunks: Iterable[CharacterSpan], references: Sequence[Sequence[CharacterSpan]]) -> dict[str, float]:
    """PrecisionOmega: the precision of a retrieval that takes every chunk that touches a reference, and no other."""
    by_document: Mapping[str, list[CharacterSpan]] = defaultdict(list)
    for chunk in chunks:
        by_document[chunk.document].append(chunk)
    # Only the question's own documents hold chunks that can touch its references.
    return spread(
        [
            precision_omega(
                [chunk for document in {span.document for span in wanted} for chunk in by_document[document]], wanted
            )
            for wanted in references
        ]
    )
