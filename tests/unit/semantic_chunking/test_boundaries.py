from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.semantic_chunking.boundaries import balanced_boundaries, chunk_boundaries


def cut(
    sizes: list[float], capacity: float, *, gaps: list[float] | None = None, depths: list[int] | None = None
) -> list[int]:
    count = len(sizes)
    return balanced_boundaries(
        np.asarray(sizes, dtype=np.float64),
        np.asarray(gaps or [0.0] * count),
        np.asarray(depths or [1] * count, dtype=np.int64),
        capacity,
    )


def test_chunks_are_of_about_equal_size_instead_of_full_full_tiny() -> None:
    assert cut([10.0] * 21, 100) == [7, 14, 21]


def test_a_shallow_boundary_near_the_middle_is_preferred() -> None:
    assert cut([10.0] * 12, 100, depths=[1, 4, 4, 4, 4, 4, 4, 1, 4, 4, 4, 4]) == [7, 12]


def test_an_atom_over_the_capacity_stands_alone() -> None:
    assert cut([5, 500, 5], 100) == [1, 2, 3]


def test_a_gap_counts_inside_a_chunk_but_not_before_it() -> None:
    assert cut([5, 5, 5], 100, gaps=[0, 1000, 0]) == [1, 3]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.integers(50, 120), st.randoms(use_true_random=False))
def test_no_chunk_is_over_and_there_are_as_few_as_greedy_filling_makes(sizes: list[int], capacity: int, random) -> None:  # type: ignore[no-untyped-def]
    depths = [random.randint(0, 9) for _ in sizes]
    boundaries = cut([float(size) for size in sizes], capacity, depths=depths)
    assert boundaries[-1] == len(sizes)
    assert boundaries == sorted(set(boundaries))
    assert all(sum(sizes[first:last]) <= capacity for first, last in zip([0, *boundaries], boundaries, strict=False))
    greedy, filled = 1, 0
    for size in sizes:
        if filled + size > capacity:
            greedy, filled = greedy + 1, 0
        filled += size
    assert len(boundaries) == greedy


def cut_long(sizes: list[float], marks: list[float], capacity: float, depths: list[int] | None = None) -> list[int]:
    return chunk_boundaries(
        np.asarray(sizes, dtype=np.float64),
        np.zeros(len(sizes)),
        np.asarray(depths or [1] * len(sizes), dtype=np.int64),
        np.asarray(marks),
        capacity,
    )


def test_what_fills_four_chunks_is_cut_as_a_whole() -> None:
    assert cut_long([10.0] * 21, [0.5] * 21, 100) == cut([10.0] * 21, 100)


def test_a_long_text_is_divided_at_the_shallowest_boundary_and_of_these_at_the_least_mark() -> None:
    sizes, marks, depths = [10.0] * 60, [0.5] * 60, [3] * 60
    marks[31] = 0.1
    assert 31 in cut_long(sizes, marks, 100, depths)
    depths[23] = 2
    assert 23 in cut_long(sizes, marks, 100, depths)


@given(
    st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1), st.integers(0, 9)), min_size=1, max_size=200),
    st.integers(50, 120),
)
def test_however_long_no_chunk_is_over_and_none_is_empty(atoms: list[tuple[int, float, int]], capacity: int) -> None:
    sizes = [float(size) for size, _, _ in atoms]
    boundaries = cut_long(sizes, [mark for _, mark, _ in atoms], capacity, [depth for _, _, depth in atoms])
    assert boundaries[-1] == len(sizes)
    assert boundaries == sorted(set(boundaries))
    assert all(sum(sizes[first:last]) <= capacity for first, last in zip([0, *boundaries], boundaries, strict=False))


def test_a_text_that_repeats_itself_takes_no_more_steps_than_another() -> None:
    boundaries = cut_long([1.0] * 200_000, [0.5] * 200_000, 10)
    assert boundaries[-1] == 200_000
    assert len(boundaries) < 40_000
