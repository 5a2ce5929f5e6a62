"""One ranking out of what the legs found."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval.ranking import JUDGED, KnownPlaces, Legs, rank
from rag_engine.types.retrieval import STRETCH_CHUNKS, ChunkPlace, ScoredChunk


def place(chunk: int) -> ChunkPlace:
    """Documents of a thousand chunks each, numbered on."""
    return ChunkPlace(chunk, chunk // 1000, chunk % 1000, 0, 1, 50, False)


class Catalog:
    """Knows every chunk, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def places(self, chunks: Sequence[int]) -> dict[int, ChunkPlace]:
        self.asked.extend(chunks)
        return {chunk: place(chunk) for chunk in chunks}


def hits(*scored: tuple[int, float]) -> list[ScoredChunk]:
    return [ScoredChunk(*one) for one in scored]


def ranked(legs: Legs, *, depth: int = 10, stretch_share: float = 0.5) -> list[int]:
    return [chunk for chunk, _ in rank(legs, KnownPlaces(Catalog().places), depth=depth, stretch_share=stretch_share)]


def test_a_chunk_in_a_stretch_that_has_the_question_s_words_stands_before_its_equal() -> None:
    words = hits((5, 4.0), (2005, 4.0), (7, 1.0))
    stretches = hits((2000, 9.0), (0, 2.0))
    assert ranked(Legs(lexical=words, stretches=stretches)) == [2005, 5, 7]
    assert ranked(Legs(lexical=words, stretches=stretches), stretch_share=0.0) == [5, 2005, 7]


def test_a_stretch_speaks_only_for_the_chunks_within_it() -> None:
    words = hits((STRETCH_CHUNKS, 4.0), (STRETCH_CHUNKS - 1, 4.0), (900, 1.0))
    assert ranked(Legs(lexical=words, stretches=hits((0, 5.0), (500, 1.0))))[0] == STRETCH_CHUNKS - 1


def test_without_stretches_the_words_of_chunks_count_in_full() -> None:
    legs = Legs(lexical=hits((1, 4.0), (2, 3.0), (3, 1.0)))
    assert rank(legs, KnownPlaces(Catalog().places), depth=3, stretch_share=0.7)[0] == (1, 1.0)


def test_the_dense_leg_alone_keeps_its_order() -> None:
    legs = Legs(dense=hits((3, 0.9), (1, 0.5), (2, 0.1)), dense_weight=1.0)
    assert ranked(legs) == [3, 1, 2]


def test_places_are_asked_for_once() -> None:
    catalog = Catalog()
    places = KnownPlaces(catalog.places)
    places([1, 2])
    assert places([2, 3]) == {2: place(2), 3: place(3)}
    assert catalog.asked == [1, 2, 3]


def test_only_the_best_chunks_are_looked_at_by_their_places() -> None:
    catalog = Catalog()
    legs = Legs(dense=[ScoredChunk(chunk, 1 - chunk / 1000) for chunk in range(400)], dense_weight=1.0)
    assert len(rank(legs, KnownPlaces(catalog.places), depth=400, stretch_share=0.5)) == 400
    assert len(catalog.asked) == JUDGED


legs_found = st.lists(
    st.tuples(st.integers(0, 60), st.floats(0, 20, width=32)), max_size=40, unique_by=lambda hit: hit[0]
).map(lambda found: [ScoredChunk(*hit) for hit in sorted(found, key=lambda hit: (-hit[1], hit[0]))])


@given(legs_found, legs_found, legs_found, st.floats(0, 1), st.floats(0, 1), st.integers(1, 30))
def test_every_chunk_comes_once_by_falling_scores(
    dense: list[ScoredChunk],
    lexical: list[ScoredChunk],
    stretches: list[ScoredChunk],
    weight: float,
    share: float,
    depth: int,
) -> None:
    legs = Legs(dense, lexical, stretches, dense_weight=weight)
    found = rank(legs, KnownPlaces(Catalog().places), depth=depth, stretch_share=share)
    assert sorted(chunk for chunk, _ in found) == sorted({hit.chunk for hit in (*dense, *lexical)})
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert all(score <= 1 + 1e-9 for score in scores)
