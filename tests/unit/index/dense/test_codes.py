"""Sign codes and the recall that is measured with them."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from rag_engine.index.dense.codes import SignCodes
from rag_engine.index.dense.recall import RecallMeasurement, measure_recall
from rag_engine.index.dense.rows import Rows


def unit(count: int, dimension: int, *, seed: int = 1) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def coded(rows: np.ndarray, *, portion: int | None = None) -> SignCodes:
    codes = SignCodes(rows.shape[1])
    codes.centre_on(rows)
    for start in range(0, len(rows), portion or len(rows)):
        codes.append(rows[start : start + (portion or len(rows))])
    return codes


@pytest.mark.parametrize(("dimension", "size"), [(1, 64), (8, 64), (384, 64), (513, 128), (768, 128), (1024, 128)])
def test_a_code_has_a_bit_for_each_dimension_at_least_and_whole_words(dimension: int, size: int) -> None:
    codes = coded(unit(3, dimension))
    assert codes.codes.parts[0].shape == (3, size)


def test_differing_bits_grow_with_the_angle() -> None:
    rows, other = unit(2, 64)
    mixed = np.stack([(1 - share) * rows + share * other for share in np.linspace(0, 1, 9)])
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    codes = SignCodes(64)
    codes.centre_on(np.zeros((1, 64), dtype=np.float32))
    codes.append(mixed.astype(np.float32))
    assert codes.nearest(rows[np.newaxis], 9)[0].tolist() == list(range(9))


@pytest.mark.parametrize("share", [1.0, 0.3, 0.0])
def test_the_nearest_codes_are_those_of_a_plain_count(share: float) -> None:
    rows, questions = unit(500, 24), unit(6, 24, seed=2)
    codes = coded(rows, portion=200)
    among = np.random.default_rng(3).random(500) < share if share < 1 else None
    bits, asked = np.unpackbits(codes.codes.parts[0], axis=1), np.unpackbits(codes._coded(questions), axis=1)
    distances = (bits[np.newaxis] != asked[:, np.newaxis]).sum(axis=2).astype(float)
    if among is not None:
        distances[:, ~among] = np.inf
    for found, distance in zip(codes.nearest(questions, 40, among=among), distances, strict=True):
        held = found[found >= 0]
        assert len(set(held.tolist())) == len(held) == min(40, np.isfinite(distance).sum())
        np.testing.assert_array_equal(distance[held], np.sort(distance)[: len(held)])


def test_codes_in_a_file_and_in_memory_are_searched_as_one(tmp_path: Path) -> None:
    rows, question = unit(300, 24), unit(1, 24, seed=2)
    whole, parted = coded(rows), coded(rows[:200])
    parted.codes.keep_in(tmp_path / "codes")
    parted.codes.flush()
    parted.append(rows[200:])
    assert len(parted.codes.parts) == 2
    among = np.random.default_rng(3).random(300) < 0.5
    for admitted in (None, among):
        expected = whole.nearest(question, 300, among=admitted)[0]
        found = parted.nearest(question, 300, among=admitted)[0]
        assert sorted(found[found >= 0]) == sorted(expected[expected >= 0])


def test_a_single_question_leaves_the_threads_as_they_were() -> None:
    before = faiss.omp_get_max_threads()
    coded(unit(10, 8)).nearest(unit(1, 8), 3)
    assert faiss.omp_get_max_threads() == before


def test_recall_grows_with_the_candidates_and_is_the_same_each_time() -> None:
    rows = Rows(64)
    rows.append(np.arange(3000), unit(3000, 64))
    rows.remove(np.arange(0, 3000, 7))
    codes = coded(unit(3000, 64))
    ladder = (16, 64, 256, 3000)
    measured = measure_recall(rows, codes, ladder=ladder)
    assert measured.count == len(rows)
    recalls = [measured.recalls[candidates] for candidates in ladder]
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.9
    assert recalls[-1] == 1.0
    assert measure_recall(rows, codes, ladder=ladder) == measured


@pytest.mark.parametrize("count", [1, 2, 5])
def test_recall_over_next_to_nothing_is_whole(count: int) -> None:
    rows = Rows(8)
    rows.append(np.arange(count), unit(count, 8))
    assert measure_recall(rows, coded(unit(count, 8)), ladder=(20,)).recalls == {20: 1.0}


def test_the_fewest_candidates_that_reach_the_target_are_chosen() -> None:
    measured = RecallMeasurement(1000, {10: 0.9, 20: 0.98, 40: 0.998})
    assert measured.candidates(0.99) == 40  # people's questions miss four times as many
    assert measured.candidates(0.93) == 40
    assert measured.candidates(0.92) == 20
    assert measured.candidates(0.5) == 10
    assert measured.candidates(1.0) is None
    assert not measured.outgrown_by(1500)
    assert measured.outgrown_by(1501)
