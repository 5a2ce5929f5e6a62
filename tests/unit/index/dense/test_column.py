"""Columns: rows in a file and behind them rows in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import CacheDamagedError
from rag_engine.index.dense.column import Column


@given(
    lengths=st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=6),
    seed=st.integers(0, 1000),
)
def test_rows_are_the_same_whether_in_the_file_or_in_memory(lengths: list[tuple[int, bool]], seed: int) -> None:
    generator = np.random.default_rng(seed)
    expected = np.empty((0, 3), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        column = Column("<f4", 3)
        column.keep_in(Path(folder) / "rows")
        for length, flushed in lengths:
            rows = generator.standard_normal((length, 3)).astype(np.float32)
            column.append(rows)
            expected = np.concatenate([expected, rows])
            if flushed:
                column.flush()
        assert len(column) == len(expected)
        positions = np.flatnonzero(generator.random(len(expected)) < 0.5)
        np.testing.assert_array_equal(column.take(positions), expected[positions])
        np.testing.assert_array_equal(np.concatenate(column.parts), expected)


def test_a_state_goes_only_as_far_as_it_says(tmp_path: Path) -> None:
    column = Column("<i8")
    column.keep_in(tmp_path / "numbers")
    assert column.seal() is None
    column.append(np.arange(4))
    column.flush()
    state = column.seal()
    assert state is not None
    with (tmp_path / "numbers").open("ab") as file:
        file.write(b"left by a process that was killed")
    assert state.check(tmp_path / "numbers", read=False)  # its time says that somebody was there
    again = Column("<i8")
    again.keep_in(tmp_path / "numbers", state)
    again.append(np.array([9]))
    again.flush()
    assert np.concatenate(again.parts).tolist() == [0, 1, 2, 3, 9]
    grown = again.seal()
    assert grown is not None
    assert not grown.check(tmp_path / "numbers", read=False)
    assert grown.check(tmp_path / "numbers", read=True)


def test_a_file_that_is_too_short_or_has_half_a_row_is_refused(tmp_path: Path) -> None:
    column = Column("<i8")
    column.keep_in(tmp_path / "numbers")
    column.append(np.arange(4))
    column.flush()
    state = column.seal()
    assert state is not None
    with pytest.raises(CacheDamagedError, match="whole rows"):
        Column("<f4", 3).keep_in(tmp_path / "numbers", state)
    (tmp_path / "numbers").write_bytes(b"short")
    with pytest.raises(CacheDamagedError, match="cut short"):
        state.check(tmp_path / "numbers", read=False)


def test_what_was_written_before_is_neither_moved_nor_cut(tmp_path: Path) -> None:
    column = Column("<i8")
    column.keep_in(tmp_path / "numbers")
    column.append(np.arange(4))
    column.flush()
    mapped = column.parts[0]
    column.append(np.arange(4, 8))
    column.flush()
    assert mapped.tolist() == [0, 1, 2, 3]
    assert column.parts[0].tolist() == list(range(8))


def test_rows_that_were_released_are_read_anew(tmp_path: Path) -> None:
    column = Column("<f4", 4)
    column.keep_in(tmp_path / "rows")
    column.append(np.ones((2000, 4), dtype=np.float32))
    column.release()  # before there is a mapping
    column.flush()
    (rows,) = column.parts
    assert rows.sum() == 8000
    column.release()
    assert rows.sum() == 8000
