"""Bringing several rankings of one question together: other wordings beside it, follow-ups behind its first results.

What is shown at a rank never depends on how many results are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag_engine.types.retrieval import Passage


def beside(
    first: Sequence[Passage], others: Sequence[tuple[Sequence[Passage], float]], *, window: int
) -> list[Passage]:
    """The first ``window`` passages of each ranking, ordered by the weighted mean of their scores (the first ranking
    weighs 1), then what else the first one has. Of passages that overlap in one document, the better."""
    total = 1.0 + sum(weight for _, weight in others)
    scores: dict[int, float] = {}
    shown: dict[int, Passage] = {}
    for ranking, weight in ((first, 1.0), *others):
        for passage in ranking[:window]:
            shown.setdefault(passage.chunk, passage)
            scores[passage.chunk] = scores.get(passage.chunk, 0.0) + weight * max(0.0, passage.score) / total
    ordered = sorted(shown.values(), key=lambda passage: (-scores[passage.chunk], passage.rank, passage.chunk))
    fused = [replace(passage, score=scores[passage.chunk]) for passage in ordered]
    least = fused[-1].score if fused else 0.0
    rest = [replace(passage, score=min(least, passage.score / total)) for passage in first[window:]]
    return numbered(without_overlaps([*fused, *rest]))


def behind(first: Sequence[Passage], found: Sequence[Passage], *, documents: int, most: int) -> list[Passage]:
    """``first`` with the best passage of each of up to ``most`` documents of ``found`` set behind its first so many
    ``documents``; those that stand before anyway stay there."""
    before: list[str] = []
    place = len(first)
    for position, passage in enumerate(first):
        if passage.document_id not in before:
            if len(before) == documents:
                place = position
                break
            before.append(passage.document_id)
    best: dict[str, Passage] = {}
    for passage in found:
        if passage.document_id not in before:
            best.setdefault(passage.document_id, passage)
    score = first[max(0, place - 1)].score if first else 0.0
    placed = [replace(passage, score=score) for passage in list(best.values())[:most]] if first else list(best.values())
    return numbered(without_overlaps([*first[:place], *placed, *first[place:]]))


def last(first: Sequence[Passage], unwanted: Sequence[bool], *, window: int) -> list[Passage]:
    """``first`` with those of its first ``window`` passages that are ``unwanted`` set behind the others of these."""
    marked = list(zip(first[:window], unwanted, strict=False))
    wanted = [passage for passage, no in marked if not no]
    least = min((passage.score for passage in wanted), default=0.0)
    others = [replace(passage, score=min(passage.score, least)) if wanted else passage for passage, no in marked if no]
    end = others[-1].score if others else least
    rest = [replace(passage, score=min(passage.score, end)) for passage in first[window:]]
    return numbered([*wanted, *others, *rest])


def without_overlaps(passages: Sequence[Passage]) -> list[Passage]:
    """The passages without those that share characters with one before them."""
    taken: dict[str, list[tuple[int, int]]] = {}
    kept: list[Passage] = []
    for passage in passages:
        spans = taken.setdefault(passage.document_id, [])
        if not any(start < passage.end and passage.start < end for start, end in spans):
            spans.append((passage.start, passage.end))
            kept.append(passage)
    return kept


def numbered(passages: Sequence[Passage]) -> list[Passage]:
    """The passages with their ranks, from 1."""
    return [
        passage if passage.rank == rank else replace(passage, rank=rank)
        for rank, passage in enumerate(passages, start=1)
    ]
