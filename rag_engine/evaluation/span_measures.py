"""Character measures of retrieved spans against gold spans (Smith and Troynikov, Chroma, 2024).

All lengths are characters of the same document. Reference spans are unioned first, so that alternatives
which overlap count once; a set whose references do not overlap is scored exactly as published.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class CharacterSpan(NamedTuple):
    """Characters ``start`` to ``end`` of a document, 0-based, end exclusive."""

    document: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SpanScores:
    """How well retrieved characters match the references, each in [0, 1]."""

    recall: float
    precision: float
    intersection_over_union: float


def merge(spans: Iterable[CharacterSpan]) -> list[CharacterSpan]:
    """The union of ``spans`` as disjoint spans in order; neighbours that touch become one."""
    merged: list[CharacterSpan] = []
    for span in sorted(spans):
        if merged and merged[-1].document == span.document and span.start <= merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def covered_length(spans: Iterable[CharacterSpan], references: Iterable[CharacterSpan]) -> int:
    """Characters that lie in both unions."""
    by_document: dict[str, list[CharacterSpan]] = defaultdict(list)
    for span in merge(spans):
        by_document[span.document].append(span)
    return sum(
        max(0, min(span.end, reference.end) - max(span.start, reference.start))
        for reference in merge(references)
        for span in by_document[reference.document]
    )


def contains(spans: Iterable[CharacterSpan], reference: CharacterSpan) -> bool:
    """Whether the union of ``spans`` contains every character of ``reference``."""
    return any(
        span.document == reference.document and span.start <= reference.start and reference.end <= span.end
        for span in merge(spans)
    )


def touching(chunks: Iterable[CharacterSpan], references: Iterable[CharacterSpan]) -> list[CharacterSpan]:
    """The chunks that share at least one character with a reference, in their order."""
    by_document: dict[str, list[CharacterSpan]] = defaultdict(list)
    for reference in merge(references):
        by_document[reference.document].append(reference)
    return [
        chunk
        for chunk in chunks
        if any(chunk.start < other.end and other.start < chunk.end for other in by_document.get(chunk.document, ()))
    ]


def score_spans(retrieved: Sequence[CharacterSpan], references: Sequence[CharacterSpan]) -> SpanScores:
    """Recall, precision and intersection over union of what one question retrieved.

    Retrieved spans are summed, not unioned: characters retrieved twice are read twice. Without references
    recall is 1, as nothing was missed; without anything retrieved precision is 0.
    """
    covered = covered_length(retrieved, references)
    wanted = _length(merge(references))
    read = _length(retrieved)
    union = read + wanted - covered
    return SpanScores(
        recall=covered / wanted if wanted else 1.0,
        precision=covered / read if read else 0.0,
        intersection_over_union=covered / union if union else 0.0,
    )


def precision_omega(chunks: Iterable[CharacterSpan], references: Sequence[CharacterSpan]) -> float:
    """Precision of the chunking itself: every chunk that touches a reference is taken, and no other.

    Characters of references in these chunks, over the characters of these chunks and of what they leave uncovered.
    """
    touched = touching(chunks, references)
    union = _length(merge([*touched, *references]))
    return covered_length(touched, references) / union if union else 0.0


def _length(spans: Iterable[CharacterSpan]) -> int:
    return sum(span.end - span.start for span in spans)
