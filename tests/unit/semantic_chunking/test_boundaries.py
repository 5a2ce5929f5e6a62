from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.semantic_chunking.atoms import Depth
from rag_engine.semantic_chunking.boundaries import Atoms, best_boundaries, chunk_boundaries

PARAGRAPH, SENTENCE = int(Depth.BLOCK), int(Depth.SENTENCE)


def atoms(
    sizes: list[float],
    *,
    gaps: list[float] | None = None,
    depths: list[int] | None = None,
    marks: list[float] | None = None,
    cohesion: list[float] | None = None,
) -> Atoms:
    count = len(sizes)
    return Atoms(
        np.asarray(sizes, dtype=np.float64),
        np.asarray(gaps or [0.0] * count),
        np.asarray(depths or [SENTENCE] * count, dtype=np.int64),
        np.asarray(marks or [0.5] * count),
        np.asarray(cohesion or [1.0] * count),
    )


def test_a_text_that_fits_is_one_chunk() -> None:
    assert best_boundaries(atoms([10.0] * 9), 100) == [9]


def test_chunks_are_as_few_as_fit_where_no_boundary_is_better_than_another() -> None:
    assert len(best_boundaries(atoms([10.0] * 21), 100)) == 3


def test_of_equal_cuts_those_are_made_that_leave_chunks_of_equal_size() -> None:
    assert best_boundaries(atoms([10.0] * 21), 100) == [7, 14, 21]


def test_paragraphs_are_kept_whole_where_they_fit() -> None:
    depths = [PARAGRAPH, SENTENCE, SENTENCE] * 3
    assert best_boundaries(atoms([20.0] * 9, depths=depths), 100) == [3, 6, 9]


def test_small_paragraphs_are_taken_together() -> None:
    assert best_boundaries(atoms([30.0] * 4, depths=[PARAGRAPH] * 4), 100) in ([1, 4], [2, 4], [3, 4])


def test_a_part_of_a_long_paragraph_is_not_mixed_with_its_neighbour() -> None:
    depths = [PARAGRAPH, *[SENTENCE] * 5, PARAGRAPH]  # six sentences of 30, then a paragraph of 30
    boundaries = best_boundaries(atoms([30.0] * 7, depths=depths), 100)
    assert 6 in boundaries


def test_of_equal_boundaries_the_cut_is_made_where_the_subject_changes() -> None:
    alike = [1.0] * 12
    assert best_boundaries(atoms([10.0] * 12, cohesion=alike), 100) == [6, 12]
    alike[8] = 0.2
    assert best_boundaries(atoms([10.0] * 12, cohesion=alike), 100) == [8, 12]


def test_a_paragraph_is_not_cut_for_a_subject_beside_its_end() -> None:
    depths, alike = [SENTENCE] * 12, [1.0] * 12
    depths[6], alike[8] = PARAGRAPH, 0.2
    assert best_boundaries(atoms([10.0] * 12, depths=depths, cohesion=alike), 100) == [6, 12]


def test_a_subject_more_foreign_than_any_is_no_better_a_boundary() -> None:
    alike = [1.0] * 12
    alike[1] = -1e9
    assert len(best_boundaries(atoms([10.0] * 12, cohesion=alike), 100)) == 2


def test_an_atom_over_the_capacity_stands_alone() -> None:
    assert best_boundaries(atoms([5, 500, 5]), 100) == [1, 2, 3]


def test_a_gap_counts_inside_a_chunk_but_not_before_it() -> None:
    assert best_boundaries(atoms([5, 5, 5], gaps=[0, 1000, 0]), 100) == [1, 3]


COST = dict(zip(Depth, (-0.1, -0.05, 0.0, 0.15, 0.3, 1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 8.0), strict=True))


def cost(
    sizes: list[int], depths: list[int], cohesion: list[float], boundaries: tuple[int, ...], capacity: int
) -> float:
    """What a segmentation costs, worked out chunk by chunk; infinite where a chunk is over the capacity."""
    total = 0.0
    inside = [depth > Depth.GROUP for depth in depths] + [False]
    inside[0] = False
    for first, last in zip((0, *boundaries), boundaries, strict=False):
        if last - first > 1 and sum(sizes[first:last]) > capacity:
            return float("inf")
        empty = max(0.0, 1 - sum(sizes[first:last]) / capacity)
        cut = COST[Depth(depths[first])] + 0.8 * (max(-0.25, cohesion[first]) - 1)
        total += 1 + 0.3 * empty**2 + (cut if first else 0.0)
        if any(depth <= Depth.GROUP for depth in depths[first + 1 : last]):
            total += 0.7 * (inside[first] + inside[last])
    return total


@given(
    st.lists(st.tuples(st.integers(10, 50), st.integers(0, 8), st.floats(-1, 2)), min_size=1, max_size=9),
    st.integers(50, 120),
)
def test_no_other_segmentation_costs_less(parts: list[tuple[int, int, float]], capacity: int) -> None:
    sizes, depths, alike = [size for size, _, _ in parts], [depth for _, depth, _ in parts], [one for *_, one in parts]
    count = len(sizes)
    found = best_boundaries(atoms([float(size) for size in sizes], depths=depths, cohesion=alike), capacity)
    every = ((*inner, count) for length in range(count) for inner in itertools.combinations(range(1, count), length))
    least = min(cost(sizes, depths, alike, boundaries, capacity) for boundaries in every)
    assert abs(cost(sizes, depths, alike, tuple(found), capacity) - least) < 1e-9


def test_a_short_text_is_cut_as_a_whole() -> None:
    short = atoms([10.0] * 21)
    assert chunk_boundaries(short, 100) == best_boundaries(short, 100)


def test_a_long_text_is_divided_at_the_shallowest_boundary_and_of_these_at_the_least_mark() -> None:
    marks, depths = [0.5] * 120, [SENTENCE] * 120
    marks[31] = 0.1
    assert 31 in chunk_boundaries(atoms([10.0] * 120, depths=depths, marks=marks), 100)
    depths[23] = PARAGRAPH
    assert 23 in chunk_boundaries(atoms([10.0] * 120, depths=depths, marks=marks), 100)


@given(
    st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1), st.integers(0, 11)), min_size=1, max_size=200),
    st.integers(50, 120),
)
def test_however_long_no_chunk_is_over_and_none_is_empty(parts: list[tuple[int, float, int]], capacity: int) -> None:
    sizes = [float(size) for size, _, _ in parts]
    given_atoms = atoms(sizes, depths=[depth for _, _, depth in parts], marks=[mark for _, mark, _ in parts])
    boundaries = chunk_boundaries(given_atoms, capacity)
    assert boundaries[-1] == len(sizes)
    assert boundaries == sorted(set(boundaries))
    assert all(sum(sizes[first:last]) <= capacity for first, last in zip([0, *boundaries], boundaries, strict=False))


def test_a_text_of_tiny_atoms_that_repeats_itself_takes_no_more_steps_than_another() -> None:
    boundaries = chunk_boundaries(atoms([1.0] * 200_000), 100)
    assert boundaries[-1] == 200_000
    assert len(boundaries) < 4_000
