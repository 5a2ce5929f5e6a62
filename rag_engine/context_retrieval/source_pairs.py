"""Pairs of sources that agree or disagree, as an answer names them: by document and characters, not by rank."""

from __future__ import annotations

from collections.abc import Sequence

from rag_engine.types.generation import SourcePair
from rag_engine.types.retrieval import Passage


def conflicts_among(passages: Sequence[Passage]) -> tuple[SourcePair, ...]:
    """Pairs of sentences of these passages that contradict each other, each once, in the passages' order; what
    contradicts a passage that is not among them is left out."""
    by_rank = {passage.rank: passage for passage in passages}
    return tuple(
        SourcePair(
            what=conflict.what.value,
            document=passage.document_id,
            start=conflict.start,
            end=conflict.end,
            text=passage.text[conflict.start - passage.start : conflict.end - passage.start],
            other_document=other.document_id,
            other_start=conflict.other_start,
            other_end=conflict.other_end,
            other_text=other.text[conflict.other_start - other.start : conflict.other_end - other.start],
        )
        for passage in passages
        for conflict in passage.conflicts
        if conflict.rank > passage.rank and (other := by_rank.get(conflict.rank)) is not None
    )


def duplicates_among(passages: Sequence[Passage]) -> tuple[SourcePair, ...]:
    """Pairs of these passages that say the same, each once, in the passages' order."""
    by_rank = {passage.rank: passage for passage in passages}
    return tuple(
        SourcePair(
            what="duplicate",
            document=passage.document_id,
            start=passage.start,
            end=passage.end,
            text=passage.text,
            other_document=other.document_id,
            other_start=other.start,
            other_end=other.end,
            other_text=other.text,
        )
        for passage in passages
        for rank in passage.duplicates
        if rank > passage.rank and (other := by_rank.get(rank)) is not None
    )
