from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.semantic_chunking.boundaries import balanced_boundaries


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
