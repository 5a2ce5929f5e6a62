"""The question's vector moved towards what it found first."""

from __future__ import annotations

import numpy as np
import pytest

from rag_engine.context_retrieval.feedback import feedback_share, moved
from rag_engine.index.exact import ExactIndex
from rag_engine.types.retrieval import ChunkPlace, ScoredChunk

EAST, NORTH, UP = np.eye(3, dtype=np.float32)


def falling(first: float, last: float) -> list[ScoredChunk]:
    return [ScoredChunk(rank, score) for rank, score in enumerate(np.linspace(first, last, 10))]


def test_a_question_whose_first_hits_are_alike_is_moved_in_full() -> None:
    assert feedback_share(falling(0.60, 0.55), most=0.4) == 0.4


def test_a_question_with_one_hit_far_ahead_of_the_others_is_left_alone() -> None:
    assert feedback_share(falling(0.90, 0.40), most=0.4) == 0.0


def test_between_the_two_it_is_moved_in_part() -> None:
    assert 0 < feedback_share(falling(0.60, 0.42), most=0.4) < 0.4


@pytest.mark.parametrize("hits", [[], [ScoredChunk(1, 0.5)]])
def test_with_one_hit_or_none_there_is_nothing_to_learn_from(hits: list[ScoredChunk]) -> None:
    assert feedback_share(hits, most=0.4) == 0.0


@pytest.fixture
def index() -> ExactIndex:
    index = ExactIndex(3)
    index.add(np.array([1, 2, 3, 4]), np.stack([EAST, NORTH, UP, UP]))
    return index


PLACES = {
    1: ChunkPlace(1, 10, 0, 0, 9, 60, False),
    2: ChunkPlace(2, 10, 1, 9, 20, 20, True),
    3: ChunkPlace(3, 11, 0, 0, 9, 50, True),
    4: ChunkPlace(4, 12, 0, 0, 9, 50, True),
}


def around(place: ChunkPlace, reach: int) -> list[ChunkPlace]:
    return [
        one for one in PLACES.values() if one.document == place.document and abs(one.ordinal - place.ordinal) <= reach
    ]


def test_it_goes_towards_the_two_best_documents_each_as_the_mean_of_its_chunks_by_tokens(index: ExactIndex) -> None:
    first = 60 * EAST + 20 * NORTH
    expected = 0.5 * NORTH + 0.5 * (first / np.linalg.norm(first) + UP) / 2
    found = moved(NORTH, [(1, 0.9), (2, 0.8), (3, 0.7), (4, 0.6)], PLACES, share=0.5, around=around, index=index)
    assert np.allclose(found, expected / np.linalg.norm(expected), atol=1e-6)
    assert found.dtype == np.float32


def test_what_has_no_place_any_more_is_passed_over(index: ExactIndex) -> None:
    assert np.array_equal(moved(NORTH, [(9, 0.9)], PLACES, share=0.5, around=around, index=index), NORTH)
