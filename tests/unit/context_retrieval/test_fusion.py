"""Fusing rankings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval.fusion import dense_weight, fuse, normalized
from rag_engine.types.retrieval import ScoredChunk


def leg(*scores: float, first: int = 1) -> list[ScoredChunk]:
    return [ScoredChunk(first + rank, score) for rank, score in enumerate(scores)]


def fused(dense: list[ScoredChunk], lexical: list[ScoredChunk], depth: int) -> list[tuple[int, float]]:
    return fuse([(0.6, normalized(dense, depth)), (0.4, normalized(lexical, depth))], depth=depth)


def test_scores_run_from_one_for_the_best_to_zero_at_the_depth() -> None:
    assert normalized(leg(8.0, 6.0, 4.0), 3) == {1: 1.0, 2: 0.5, 3: 0.0}


def test_what_lies_beyond_the_depth_scores_below_zero() -> None:
    assert normalized(leg(8.0, 4.0, 2.0), 2) == {1: 1.0, 2: 0.0, 3: -0.5}


def test_equal_scores_are_all_the_best() -> None:
    assert normalized(leg(3.0, 3.0), 2) == {1: 1.0, 2: 1.0}


def test_no_hits_are_no_scores() -> None:
    assert normalized([], 10) == {}
    assert fused([], [], 10) == []


def test_a_chunk_that_both_legs_find_stands_before_one_that_one_leg_finds() -> None:
    found = fused(leg(0.9, 0.8, 0.1), [ScoredChunk(2, 9.0), ScoredChunk(7, 1.0)], 10)
    assert [chunk for chunk, _ in found] == [2, 1, 3, 7]


def test_one_leg_alone_keeps_its_order() -> None:
    assert [chunk for chunk, _ in fused(leg(0.9, 0.8, 0.1), [], 2)] == [1, 2, 3]


rankings = st.lists(
    st.tuples(st.integers(1, 60), st.floats(-5, 5, width=32)), max_size=40, unique_by=lambda hit: hit[0]
).map(lambda hits: [ScoredChunk(*hit) for hit in sorted(hits, key=lambda hit: (-hit[1], hit[0]))])


@given(rankings, rankings, st.integers(1, 20))
def test_asking_deeper_changes_nothing_before(dense: list[ScoredChunk], lexical: list[ScoredChunk], depth: int) -> None:
    shallow = fused(dense[:depth], lexical[:depth], depth)
    deep = fused(dense, lexical, depth)
    assert deep[: len(shallow)] == shallow


@given(rankings, rankings, st.integers(1, 20))
def test_every_chunk_of_every_leg_comes_once(dense: list[ScoredChunk], lexical: list[ScoredChunk], depth: int) -> None:
    chunks = [chunk for chunk, _ in fused(dense, lexical, depth)]
    assert sorted(chunks) == sorted({hit.chunk for hit in [*dense, *lexical]})


def test_a_leg_that_found_nothing_has_no_share() -> None:
    assert dense_weight(leg(0.9), [], depth=10, offset=0.0) == 1.0
    assert dense_weight([], leg(3.0), depth=10, offset=0.0) == 0.0
    assert dense_weight([], [], depth=10, offset=0.0) == 0.0


def test_the_dense_leg_has_the_greater_share_the_more_its_first_hits_stand_out() -> None:
    flat, steep = leg(0.50, 0.49, 0.48), leg(0.80, 0.30, 0.10)
    shares = [dense_weight(hits, leg(1.0), depth=3, offset=0.0) for hits in (flat, steep)]
    assert 0 < shares[0] < shares[1] < 1


def test_what_a_gold_set_says_of_the_corpus_moves_the_share() -> None:
    hits = leg(0.8, 0.5)
    shares = [dense_weight(hits, leg(1.0), depth=2, offset=offset) for offset in (-2.0, 0.0, 2.0)]
    assert shares == sorted(shares)
    assert shares[0] < 0.3
    assert shares[2] > 0.7
