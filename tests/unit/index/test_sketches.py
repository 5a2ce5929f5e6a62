"""Similarity of texts: exact by shingles, estimated by sketches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.index.sketches import (
    CROWD,
    SAMPLED,
    VERIFIED,
    bands,
    estimated_similarity,
    leaders,
    shingles,
    similarity,
    sketch,
)

if TYPE_CHECKING:
    from rag_engine.index.sketches import Shingles

WORDS = [f"word{number}" for number in range(300)]


def changed(count: int) -> str:
    """The words with so many of them exchanged, evenly spread."""
    words = list(WORDS)
    for number in range(count):
        words[number * len(words) // count] = f"other{number}"
    return " ".join(words)


def test_similarity_is_jaccards_over_five_words() -> None:
    one, other = shingles("a b c d e f g"), shingles("a b c d e f x")
    assert (len(one), len(other), similarity(one, other)) == (3, 3, 0.5)


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    hashes = shingles(one)
    assert len(hashes) >= 1
    assert similarity(hashes, hashes) == 1
    assert similarity(hashes, shingles(other)) == similarity(shingles(other), hashes)
    assert estimated_similarity(sketch(hashes), sketch(hashes)) == 1
    assert all(0 <= key < 2**32 for key in bands(sketch(hashes)))


def test_case_and_punctuation_do_not_count_and_order_does() -> None:
    assert similarity(shingles("The Lift, is broken: today!"), shingles("the lift is broken today")) == 1
    assert similarity(shingles("one two three four five six"), shingles("six five four three two one")) == 0
    assert similarity(shingles("short text"), shingles("short texts")) == 0
    assert similarity(shingles("!!!"), shingles("???")) == 0


@pytest.mark.parametrize("count", [1, 5, 20, 60])
def test_sketches_estimate_the_similarity(count: int) -> None:
    one, other = shingles(changed(0)), shingles(changed(count))
    assert estimated_similarity(sketch(one), sketch(other)) == pytest.approx(similarity(one, other), abs=0.15)


def test_a_sketch_stays_what_it_is() -> None:
    # Indexes hold sketches: another one of the same text would not be found.
    assert sketch(shingles("a refund is paid within ten days"))[:3].tolist() == [210, 104, 170]
    long = sketch(shingles(" ".join(str(number) for number in range(20_000))))
    assert long[:3].tolist() == [28, 179, 69]
    assert (long.dtype, long.shape) == (np.dtype(np.uint8), (72,))


def test_texts_that_are_alike_share_a_band_and_others_do_not() -> None:
    one = set(bands(sketch(shingles(changed(0)))))
    assert all(one & set(bands(sketch(shingles(changed(count))))) for count in range(1, 6))
    assert not one & set(bands(sketch(shingles(" ".join(reversed(WORDS))))))


def test_each_follows_the_first_that_it_is_like_and_that_follows_none() -> None:
    texts = {1: changed(0), 2: changed(3), 3: " ".join([*WORDS[:-12], *"abcdefghijkl"]), 4: "something else entirely"}
    hashes = {number: shingles(text) for number, text in texts.items()}
    sketches = {number: sketch(value) for number, value in hashes.items()}
    assert similarity(hashes[1], hashes[2]) > 0.9 > similarity(hashes[2], hashes[3])
    found = leaders([1, 2, 3, 4], sketches, hashes.__getitem__, threshold=0.9)
    assert found == {2: (1, similarity(hashes[1], hashes[2])), 3: (1, similarity(hashes[1], hashes[3]))}
    assert leaders([2, 3, 1, 4], sketches, hashes.__getitem__, threshold=0.9).keys() == {1}
    assert leaders([1, 2, 3, 4], sketches, hashes.__getitem__, threshold=1.0) == {}


def test_long_texts_are_compared_by_a_sample() -> None:
    words = [str(number) for number in range(6 * SAMPLED)]
    one = shingles(" ".join(words))
    other = shingles(" ".join([*words[: 5 * SAMPLED], *(f"other{number}" for number in range(SAMPLED))]))
    whole = len(np.intersect1d(one, other)) / len(np.union1d(one, other))
    assert similarity(one, other) == pytest.approx(whole, abs=0.03)
    assert similarity(one[:SAMPLED], other[:SAMPLED]) == similarity(one, other)  # so little has to be remembered


def test_in_a_crowd_of_filled_in_forms_the_same_text_is_found_and_no_more_than_a_few_are_verified() -> None:
    forms = {number: " ".join([*WORDS[:40], f"case{number}", *WORDS[40:60]]) for number in range(CROWD + 200)}
    forms[CROWD + 200] = forms[CROWD + 100]
    hashes = {number: shingles(text) for number, text in forms.items()}
    sketches = {number: sketch(value) for number, value in hashes.items()}
    verified: list[int] = []

    def shingles_of(number: int) -> Shingles:
        verified.append(number)
        return hashes[number]

    found = leaders(list(forms), sketches, shingles_of, threshold=0.95)
    assert found == {CROWD + 200: (CROWD + 100, 1.0)}
    assert len(verified) <= 2 * VERIFIED * len(forms)
