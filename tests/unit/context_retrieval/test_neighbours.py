"""What neighbours say for a chunk, and which of them are read with it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval.neighbours import JUDGED, FoundSpan, Neighbourhood
from rag_engine.types.retrieval import ChunkPlace

TOKENS = 50


def places(*lengths: int) -> dict[int, ChunkPlace]:
    """Documents of so many chunks each, numbered on; every chunk has ten characters and 50 tokens."""
    found: dict[int, ChunkPlace] = {}
    for document, length in enumerate(lengths):
        for ordinal in range(length):
            number = len(found)
            found[number] = ChunkPlace(
                number, document, ordinal, 10 * ordinal, 10 * ordinal + 9, TOKENS, ordinal == length - 1
            )
    return found


def spans(
    ranked: Sequence[tuple[int, float]], known: Mapping[int, ChunkPlace], *, weight: float = 0.0, most_tokens: int = 0
) -> list[FoundSpan]:
    def around(place: ChunkPlace, reach: int) -> list[ChunkPlace]:
        return [
            other
            for other in known.values()
            if other.document == place.document and abs(other.ordinal - place.ordinal) <= reach
        ]

    def find(chunks: Sequence[int]) -> dict[int, ChunkPlace]:
        return {chunk: known[chunk] for chunk in chunks if chunk in known}

    return list(Neighbourhood(ranked, find, weight=weight).spans(around, most_tokens=most_tokens))


def test_without_weight_and_tokens_the_chunks_come_as_they_were_ranked() -> None:
    ranked = [(3, 1.0), (1, 0.5), (0, 0.2), (2, -0.1)]
    found = spans(ranked, places(4))
    assert [(span.chunk, span.score) for span in found] == ranked
    assert [(span.start, span.end) for span in found] == [(30, 39), (10, 19), (0, 9), (20, 29)]


def test_a_chunk_between_two_that_were_found_passes_one_that_stands_alone() -> None:
    known = places(3, 3)
    ranked = [(4, 0.52), (1, 0.5), (0, 0.4), (2, 0.4)]  # 4 is in the middle of the other document
    assert spans(ranked, known, weight=0.25)[0].chunk == 1
    assert spans(ranked, known, weight=0.0)[0].chunk == 4


def test_a_document_of_one_chunk_does_not_lose_to_a_long_one_for_want_of_neighbours() -> None:
    known = places(1, 5)
    ranked = [(0, 0.5), (3, 0.5)]
    assert [span.chunk for span in spans(ranked, known, weight=0.25)] == [0, 3]


def test_a_good_chunk_takes_in_its_better_neighbour_first_and_stops_at_the_most_tokens() -> None:
    known = places(5)
    ranked = [(2, 1.0), (3, 0.6), (1, 0.3)]
    (pair,) = [span for span in spans(ranked, known, most_tokens=100) if span.chunk == 2]
    assert (pair.chunks, pair.start, pair.end) == ((2, 3), 20, 39)
    assert spans(ranked, known, most_tokens=150)[0].chunks == (1, 2, 3)


def test_what_is_read_with_one_chunk_is_no_result_of_its_own() -> None:
    found = spans([(2, 1.0), (3, 0.9), (0, 0.1)], places(4), most_tokens=100)
    assert [span.chunk for span in found] == [2, 0]


def test_a_weak_result_and_a_neighbour_that_says_nothing_are_not_grown() -> None:
    known = places(9, 9)
    found = spans([(4, 1.0), (13, 0.5)], known, most_tokens=10_000)
    assert found[0].chunks == (3, 4, 5)  # beside what was found; those further out have nothing to show
    assert found[1].chunks == (13,)


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=5),
    st.data(),
    st.sampled_from([0.0, 0.1, 0.25]),
    st.sampled_from([0, 100, 320]),
)
def test_spans_never_overlap_and_hold_every_chunk_at_most_once(
    lengths: list[int], data: st.DataObject, weight: float, most_tokens: int
) -> None:
    known = places(*lengths)
    scores = data.draw(st.dictionaries(st.sampled_from(sorted(known)), st.floats(-0.5, 1), min_size=1))
    ranked = sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))
    found = spans(ranked, known, weight=weight, most_tokens=most_tokens)
    held = [chunk for span in found for chunk in span.chunks]
    assert len(held) == len(set(held))
    assert set(scores) <= set(held)
    assert [span.score for span in found] == sorted((span.score for span in found), reverse=True)
    for span in found:
        first, last = known[span.chunks[0]], known[span.chunks[-1]]
        assert (span.start, span.end) == (first.start, last.end)
        assert len(span.chunks) == last.ordinal - first.ordinal + 1
        assert TOKENS * len(span.chunks) <= max(most_tokens, TOKENS)


def test_what_is_not_judged_comes_after_what_is_and_every_chunk_comes() -> None:
    known = places(*[1] * (JUDGED + 40))
    ranked = [(number, 1 - number / 1000) for number in known]
    found = spans(ranked, known, weight=0.1, most_tokens=320)
    assert [span.chunk for span in found] == list(known)
    assert [span.score for span in found] == sorted((span.score for span in found), reverse=True)


def test_few_results_ask_only_for_the_places_of_what_is_judged() -> None:
    known = places(*[1] * (JUDGED + 40))
    asked: list[int] = []

    def find(chunks: Sequence[int]) -> dict[int, ChunkPlace]:
        asked.extend(chunks)
        return {chunk: known[chunk] for chunk in chunks}

    ranked = [(number, 1 - number / 1000) for number in known]
    found = Neighbourhood(ranked, find, weight=0.1).spans(lambda place, _: [place], most_tokens=320)
    assert [span.chunk for span in itertools.islice(found, 10)] == list(range(10))
    assert asked == list(range(JUDGED))


def test_a_chunk_that_is_gone_by_now_is_passed_over() -> None:
    assert [span.chunk for span in spans([(7, 1.0), (0, 0.5)], places(1))] == [0]


@pytest.mark.parametrize("weight", [0.0, 0.1, 1.0])
def test_scores_stay_between_zero_and_one(weight: float) -> None:
    found = spans([(0, 1.0), (1, 1.0), (2, 1.0)], places(3), weight=weight)
    assert all(0 <= span.score <= 1 for span in found)
