"""What every DenseIndex owes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rag_engine.index.dense import Compression, FaissIndex
from rag_engine.index.exact import ExactIndex
from rag_engine.protocols import DenseIndex

DIMENSION = 16
MAKERS: dict[str, Callable[[int], DenseIndex]] = {
    "oracle": ExactIndex,
    "exact": FaissIndex,
    "compressed": lambda dimension: FaissIndex(dimension, compression=Compression(exact_up_to=0)),
}


@pytest.fixture(params=MAKERS)
def empty(request: pytest.FixtureRequest) -> DenseIndex:
    return MAKERS[request.param](DIMENSION)


@pytest.fixture
def vectors() -> np.ndarray:
    rows = np.random.default_rng(7).standard_normal((50, DIMENSION)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def numbers() -> np.ndarray:
    return np.arange(100, 150, dtype=np.int64)


@pytest.fixture
def filled(empty: DenseIndex, numbers: np.ndarray, vectors: np.ndarray) -> DenseIndex:
    empty.add(numbers, vectors)
    return empty


def found(index: DenseIndex, vector: np.ndarray, depth: int, among: np.ndarray | None = None) -> list[int]:
    return [hit.chunk for hit in index.search(vector, depth, among=among)]


def test_an_empty_index_finds_nothing(empty: DenseIndex, vectors: np.ndarray) -> None:
    assert len(empty) == 0
    assert empty.search(vectors[0], 5) == []
    assert empty.search(vectors[0], 5, among=np.array([100])) == []


def test_a_vector_finds_itself_first_with_its_inner_product(filled: DenseIndex, vectors: np.ndarray) -> None:
    for place in range(0, 50, 7):
        best = filled.search(vectors[place], 3)[0]
        assert best.chunk == 100 + place
        assert best.score == pytest.approx(1.0, abs=1e-5)


def test_hits_come_best_first_and_no_more_than_asked_for(filled: DenseIndex, vectors: np.ndarray) -> None:
    hits = filled.search(vectors[0], 10)
    assert len(hits) == 10
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_more_than_there_is_brings_all_there_is(filled: DenseIndex, vectors: np.ndarray, numbers: np.ndarray) -> None:
    assert sorted(found(filled, vectors[0], 1000)) == numbers.tolist()
    assert found(filled, vectors[0], 0) == []


def test_equal_vectors_come_by_number(empty: DenseIndex, vectors: np.ndarray) -> None:
    empty.add(np.array([9, 4, 7]), np.repeat(vectors[:1], 3, axis=0))
    assert found(empty, vectors[0], 3) == [4, 7, 9]


def test_a_filter_brings_its_best_however_far_they_are(filled: DenseIndex, vectors: np.ndarray) -> None:
    worst = found(filled, vectors[0], 50)[-5:]
    assert found(filled, vectors[0], 3, among=np.array(worst, dtype=np.int64)) == worst[:3]


def test_a_filter_of_unknown_numbers_finds_nothing(filled: DenseIndex, vectors: np.ndarray) -> None:
    assert found(filled, vectors[0], 5, among=np.array([1, 2, 3], dtype=np.int64)) == []
    assert found(filled, vectors[0], 5, among=np.empty(0, dtype=np.int64)) == []


def test_removed_vectors_are_gone_and_unknown_ones_passed_over(
    filled: DenseIndex, vectors: np.ndarray, numbers: np.ndarray
) -> None:
    filled.remove(np.array([100, 149, 7777], dtype=np.int64))
    assert len(filled) == 48
    assert sorted(found(filled, vectors[0], 100)) == numbers[1:-1].tolist()
    filled.remove(np.empty(0, dtype=np.int64))
    assert len(filled) == 48


def test_a_removed_number_may_come_back_with_another_vector(filled: DenseIndex, vectors: np.ndarray) -> None:
    filled.remove(np.array([100], dtype=np.int64))
    filled.add(np.array([100], dtype=np.int64), -vectors[:1])
    assert found(filled, -vectors[0], 1) == [100]
