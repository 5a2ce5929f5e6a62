"""What of a search an answer draws on."""

from __future__ import annotations

from collections.abc import Sequence

from rag_engine.types.retrieval import Passage

# Among a passage's scores: what of its score its chunks have of themselves, without the text around them.
OWN = "own"
_RERANKED = "rerank"


def drawn_on(passages: Sequence[Passage], *, least_share: float) -> list[Passage]:
    """Those of the passages that have at least ``least_share`` of the strongest one's score, in their order.

    What counts is what a passage has of itself: the text around speaks for all passages of a document alike, and would
    let each of them through. Where a reranker has judged, its score counts.
    """
    return [passage for passage in passages if share_of_strongest(passage, passages) >= least_share]


def share_of_strongest(passage: Passage, passages: Sequence[Passage]) -> float:
    """What a passage has of the strongest one's score, 0 to 1; 1 where none has any."""
    strongest = max(map(_strength, passages))
    return _strength(passage) / strongest if strongest > 0 else 1.0


def _strength(passage: Passage) -> float:
    return passage.score if _RERANKED in passage.scores else passage.scores.get(OWN, passage.score)
