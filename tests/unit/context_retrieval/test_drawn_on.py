"""What of a search an answer draws on."""

from __future__ import annotations

from collections.abc import Mapping

from rag_engine.context_retrieval import drawn_on, share_of_strongest
from rag_engine.types.retrieval import Passage


def passage(rank: int, score: float, scores: Mapping[str, float] | None = None) -> Passage:
    return Passage(rank, score, f"document {rank}", "", rank, 0, 1, "x", scores=scores or {})


def ranks(passages: list[Passage]) -> list[int]:
    return [one.rank for one in passages]


def test_what_has_less_than_the_share_of_the_strongest_is_left_out() -> None:
    assert ranks(drawn_on([passage(1, 0.8), passage(2, 0.4), passage(3, 0.3)], least_share=0.5)) == [1, 2]


def test_the_text_around_does_not_let_a_passage_through() -> None:
    found = [passage(1, 0.9, {"own": 0.6}), passage(2, 0.8, {"own": 0.1}), passage(3, 0.7, {"own": 0.5})]
    assert ranks(drawn_on(found, least_share=0.5)) == [1, 3]


def test_the_strongest_need_not_be_the_first() -> None:
    found = [passage(1, 0.9, {"own": 0.2}), passage(2, 0.8, {"own": 0.6})]
    assert ranks(drawn_on(found, least_share=0.5)) == [2]
    assert share_of_strongest(found[1], found) == 1.0


def test_a_reranker_s_score_counts_before_what_a_passage_has_of_itself() -> None:
    found = [passage(1, 0.9, {"own": 0.1, "rerank": 3.0}), passage(2, 0.2, {"own": 0.9, "rerank": -3.0})]
    assert ranks(drawn_on(found, least_share=0.5)) == [1]


def test_nothing_found_is_nothing_drawn_on() -> None:
    assert drawn_on([], least_share=0.5) == []
    assert ranks(drawn_on([passage(1, 0.0)], least_share=0.5)) == [1]
