from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine.semantic_chunking import StructuralChunker
from rag_engine.semantic_chunking.cohesion import WINDOW_TOKENS, cohesion
from rag_engine.token_counter import ModelTokenizer
from rag_engine.types.document import Document
from rag_engine.types.static_vectors import StaticVectors

NORTH, EAST, NOTHING = 0, 1, 2
COMPASS = StaticVectors(np.asarray([[100, 0], [0, 100], [0, 0]], dtype=np.int8), related=0.8, unrelated=0.3)


def at(ids: list[int], *positions: int) -> list[float]:
    return cohesion(np.asarray(ids, dtype=np.int32), np.asarray(positions, dtype=np.int64), COMPASS).tolist()


def test_texts_as_alike_as_two_subjects_have_none_and_as_alike_as_one_have_one() -> None:
    same, other = at([NORTH] * 60 + [EAST] * 60, 30, 60)
    assert same == pytest.approx((1 - 0.3) / 0.5)
    assert other == pytest.approx((0 - 0.3) / 0.5)


@pytest.mark.parametrize(("ids", "position"), [([NORTH] * 9, 0), ([NOTHING] * 9, 4), ([NORTH] * 4 + [NOTHING] * 4, 4)])
def test_where_a_side_says_nothing_there_is_no_reason_to_cut(ids: list[int], position: int) -> None:
    assert at(ids, position) == pytest.approx([1.0])


def test_a_short_side_counts_for_less() -> None:
    long, short = at([NORTH] * 60 + [EAST] * 30, 60)[0], at([NORTH] * 60 + [EAST] * 10, 60)[0]
    assert 1 - short == pytest.approx((1 - long) / 3)


def one_by_one(ids: np.ndarray, positions: np.ndarray, static: StaticVectors) -> list[float]:
    found = []
    for position in positions:
        before = static.vectors[ids[max(0, position - WINDOW_TOKENS) : position]].sum(axis=0, dtype=float)
        behind = static.vectors[ids[position : position + WINDOW_TOKENS]].sum(axis=0, dtype=float)
        lengths = np.linalg.norm(before) * np.linalg.norm(behind)
        cosine = before @ behind / lengths if lengths else static.related
        known = min(position, len(ids) - position, WINDOW_TOKENS) / WINDOW_TOKENS
        found.append(1 + known * ((cosine - static.unrelated) / (static.related - static.unrelated) - 1))
    return found


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 200_000), st.floats(0.0001, 0.2))
def test_block_by_block_is_as_one_by_one(seed: int, tokens: int, share: float) -> None:
    generator = np.random.default_rng(seed)
    static = StaticVectors(generator.integers(-127, 128, (50, 8), dtype=np.int8), 0.7, 0.2)
    ids = generator.integers(0, 50, tokens, dtype=np.int32)
    positions = np.unique(generator.integers(0, tokens, max(1, int(share * tokens))))
    found = cohesion(ids, positions, static)
    some = slice(None, None, max(1, len(positions) // 200))
    np.testing.assert_allclose(found[some], one_by_one(ids, positions[some], static), atol=1e-9)


@given(st.lists(st.integers(0, 49), min_size=60, max_size=60), st.integers(0, 100_000))
@settings(max_examples=20)
def test_what_stands_far_away_changes_nothing(window: list[int], before: int) -> None:
    generator = np.random.default_rng(7)
    static = StaticVectors(generator.integers(-127, 128, (50, 8), dtype=np.int8), 0.7, 0.2)
    alone = np.asarray(window, dtype=np.int32)
    within = np.concatenate([generator.integers(0, 50, before, dtype=np.int32), alone])
    (found,) = cohesion(within, np.asarray([before + 30]), static)
    assert found == cohesion(alone, np.asarray([30]), static)[0]


def test_a_text_without_paragraphs_is_cut_where_its_subject_changes(
    tokenizer: ModelTokenizer, static_vectors: StaticVectors
) -> None:
    refunds = (
        "A refund is granted within thirty days when the product is faulty. The buyer sends the receipt with it. "
        "The shop answers within five working days. Refunds go back to the card that paid. "
    )
    hearts = (
        "The heart pumps blood into the lungs and into the body. Valves keep the blood from flowing back into the "
        "atria. High pressure makes the left ventricle thicker. The pulse is felt at the wrist and at the neck. "
        "Each day it beats about one hundred thousand times."
    )
    document = Document("d", refunds + hearts)
    chunker = StructuralChunker(tokenizer=tokenizer, max_tokens=256, target_tokens=80, static_vectors=static_vectors)
    assert [chunk.start for chunk in chunker.chunk(document)] == [0, len(refunds)]
