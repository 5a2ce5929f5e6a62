"""What of a search an answer draws on."""

from __future__ import annotations

from collections.abc import Sequence

from rag_engine.types.retrieval import Passage


def drawn_on(passages: Sequence[Passage], *, least_share: float) -> list[Passage]:
    """Those of the passages, best first, that have at least ``least_share`` of the best one's score."""
    return [passage for passage in passages if passage.score >= least_share * passages[0].score]
