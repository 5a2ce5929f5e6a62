"""Several rankings of one question brought together."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval.placing import behind, beside, last, numbered, without_overlaps
from rag_engine.types.retrieval import Passage


def passage(chunk: int, score: float, document: str | None = None) -> Passage:
    return Passage(0, score, document or f"d{chunk}", "", chunk, 10 * chunk, 10 * chunk + 9, f"text {chunk}")


def ranking(*chunks: int) -> list[Passage]:
    return numbered([passage(chunk, 1 - 0.01 * place) for place, chunk in enumerate(chunks)])


def chunks(passages: list[Passage]) -> list[int]:
    return [found.chunk for found in passages]


def test_documents_are_set_behind_the_first_ones() -> None:
    assert chunks(behind(ranking(1, 2, 3, 4), ranking(7, 8, 9), documents=2, most=2)) == [1, 2, 7, 8, 3, 4]


def test_what_stands_before_stays_and_what_stands_later_moves_up() -> None:
    assert chunks(behind(ranking(1, 2, 3, 4), ranking(2, 4), documents=2, most=2)) == [1, 2, 4, 3]


def test_several_passages_of_one_document_count_once() -> None:
    first = numbered([passage(1, 1.0, "a"), passage(2, 0.9, "a"), passage(3, 0.8, "b"), passage(4, 0.7, "c")])
    found = numbered([passage(8, 1.0, "x"), passage(9, 0.9, "x")])
    assert chunks(behind(first, found, documents=1, most=2)) == [1, 2, 8, 3, 4]


def test_set_before_all_they_have_the_best_score() -> None:
    placed = behind(ranking(1, 2), ranking(9), documents=0, most=1)
    assert chunks(placed) == [9, 1, 2]
    assert placed[0].score == placed[1].score == 1.0


def test_a_passage_that_overlaps_a_better_one_is_left_out() -> None:
    wide = Passage(1, 1.0, "a", "", 1, 0, 50, "x")
    inside = Passage(2, 0.9, "a", "", 2, 40, 45, "x")
    elsewhere = Passage(3, 0.8, "b", "", 3, 40, 45, "x")
    assert chunks(without_overlaps([wide, inside, elsewhere])) == [1, 3]


def test_another_wording_counts_by_its_weight() -> None:
    first, other = ranking(1, 2, 3), ranking(3, 9)
    assert chunks(beside(first, [(other, 0.0)], window=30)) == [1, 2, 3, 9]
    assert chunks(beside(first, [(other, 1.0)], window=30))[0] == 3


def test_what_is_not_wanted_goes_behind_the_rest_of_the_window() -> None:
    assert chunks(last(ranking(1, 2, 3, 4), [True, False, False, True], window=3)) == [2, 3, 1, 4]
    assert chunks(last(ranking(1, 2), [True, True], window=3)) == [1, 2]


RANKINGS = st.lists(st.integers(0, 60), unique=True, max_size=60).map(lambda found: ranking(*found))


@given(RANKINGS, RANKINGS, st.integers(0, 3), st.integers(0, 3))
def test_ranks_count_scores_fall_and_nothing_is_lost(
    first: list[Passage], found: list[Passage], documents: int, most: int
) -> None:
    unwanted = [hit.chunk % 2 == 0 for hit in first]
    for made in (
        behind(first, found, documents=documents, most=most),
        beside(first, [(found, 0.5)], window=30),
        last(first, unwanted, window=30),
    ):
        assert [hit.rank for hit in made] == list(range(1, len(made) + 1))
        assert all(before.score >= after.score for before, after in itertools.pairwise(made))
        assert set(chunks(first)) <= set(chunks(made))
        assert len(set(chunks(made))) == len(made)


@given(RANKINGS, RANKINGS, st.integers(30, 60), st.integers(0, 2))
def test_asking_for_more_changes_none_of_those_before(
    first: list[Passage], found: list[Passage], more: int, documents: int
) -> None:
    window = 30
    few, many = first[:window], first[:more]
    for made, longer in (
        (behind(few, found, documents=documents, most=2), behind(many, found, documents=documents, most=2)),
        (beside(few, [(found, 0.5)], window=window), beside(many, [(found, 0.5)], window=window)),
        (last(few, [True] * 9, window=window), last(many, [True] * 9, window=window)),
    ):
        assert chunks(longer)[: min(window, len(made))] == chunks(made)[: min(window, len(made))]
