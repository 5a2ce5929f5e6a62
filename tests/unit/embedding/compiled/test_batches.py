"""Texts as batches of token ids."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag_engine.embedding.compiled.batches import length_sorted_batches

PADDING = 7
rows_of_ids = st.lists(st.lists(st.integers(10, 99), min_size=1, max_size=64), max_size=40)


@given(rows=rows_of_ids, length_step=st.sampled_from([1, 16]), batch_tokens=st.integers(1, 400))
def test_every_text_stands_in_one_batch_with_its_ids_and_its_mask(
    rows: list[list[int]], length_step: int, batch_tokens: int
) -> None:
    seen = []
    for positions, ids, mask in length_sorted_batches(
        rows, padding=PADDING, length_step=length_step, limit=64, batch_tokens=batch_tokens
    ):
        assert ids.shape == mask.shape
        assert ids.shape[0] == len(positions)
        for position, row, admitted in zip(positions, ids, mask, strict=True):
            assert row[admitted == 1].tolist() == rows[position]
            assert set(row[admitted == 0].tolist()) <= {PADDING}
        seen += positions
    assert sorted(seen) == list(range(len(rows)))


@given(rows=rows_of_ids, batch_tokens=st.integers(1, 400))
def test_a_batch_of_several_texts_keeps_to_its_tokens(rows: list[list[int]], batch_tokens: int) -> None:
    for positions, ids, _ in length_sorted_batches(
        rows, padding=PADDING, length_step=16, limit=64, batch_tokens=batch_tokens
    ):
        assert len(positions) == 1 or ids.size <= batch_tokens
        assert ids.shape[1] <= 64


def test_the_longest_texts_come_first() -> None:
    rows = [[1] * length for length in (3, 40, 17, 60)]
    batches = length_sorted_batches(rows, padding=0, length_step=1, limit=64, batch_tokens=1)
    assert [positions[0] for positions, _, _ in batches] == [3, 1, 2, 0]
