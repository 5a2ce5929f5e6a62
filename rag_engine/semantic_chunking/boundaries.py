"""Boundaries between chunks: sizes in, cuts out, with no knowledge of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag_engine.protocols import Numbers

    Sizes = NDArray[np.float64]

_COST_PER_DEPTH = 0.08  # a boundary one level shallower is worth moving by this share of a chunk


# A stretch of up to so many capacities is cut as a whole; a longer one is divided first, into parts of one at least.
_LARGEST_STRETCH = 4
_LEAST_STRETCH = 1


def chunk_boundaries(sizes: Sizes, gaps: Sizes, depths: Numbers, marks: Sizes, capacity: float) -> list[int]:
    """Ends of the chunks, as exclusive atom numbers, ascending; the last is the number of atoms.

    What fills up to four chunks is cut by ``balanced_boundaries``; a longer text is first divided into stretches that
    do, at the shallowest boundaries, and of these at the least mark. So an edit moves the cuts of its own
    stretch, seldom also of the next, and not all of them.

    Args:
        sizes, gaps, depths, capacity: see ``balanced_boundaries``.
        marks: a number from 0 to 1 for each atom, shape (atoms,): by its text alone, and as if by chance.
    """
    return [
        first + end
        for first, last in _stretches(sizes, gaps, depths, marks, capacity)
        for end in balanced_boundaries(sizes[first:last], gaps[first:last], depths[first:last], capacity)
    ]


def _stretches(sizes: Sizes, gaps: Sizes, depths: Numbers, marks: Sizes, capacity: float) -> Iterator[tuple[int, int]]:
    """Ranges [first, last) of atoms, in order. Each division is made by what is least in its range, as in a treap: it
    is the same wherever else the text was edited."""
    import numpy as np

    ends = np.cumsum(sizes + gaps)
    starts = ends - sizes
    waiting = [(0, len(sizes))]
    while waiting:
        first, last = waiting.pop()
        nearest = int(np.searchsorted(ends, starts[first] + _LEAST_STRETCH * capacity)) + 1
        furthest = int(np.searchsorted(starts, ends[last - 1] - _LEAST_STRETCH * capacity, side="right"))
        if ends[last - 1] - starts[first] <= _LARGEST_STRETCH * capacity or nearest >= furthest:
            yield first, last
            continue
        costs = depths[nearest:furthest] + marks[nearest:furthest]
        least = np.flatnonzero(costs == costs.min())
        # Texts that repeat themselves have equal marks: the division in the middle keeps the time from growing.
        middle = nearest + int(least[len(least) // 2])
        waiting += [(middle, last), (first, middle)]


def balanced_boundaries(sizes: Sizes, gaps: Sizes, depths: Numbers, capacity: float) -> list[int]:
    """Ends of the chunks, as exclusive atom numbers, ascending; the last is the number of atoms.

    The chunks are as few as the capacity allows and of about equal size, and they end at shallow boundaries where
    one is near. An atom over the capacity is a chunk of its own. Time is linear in the atoms but for logarithms.

    Args:
        sizes: size of each atom, shape (atoms,).
        gaps: size of what lies before each atom, shape (atoms,); it counts only inside a chunk.
        depths: depth of the boundary before each atom, shape (atoms,).
        capacity: largest size of a chunk of several atoms.
    """
    import numpy as np

    count = len(sizes)
    ends = np.cumsum(sizes + gaps)
    starts = ends - sizes
    reach = np.maximum(np.searchsorted(ends, starts + capacity, side="right"), np.arange(1, count + 1))
    needed = _chunks_needed(reach.tolist())
    boundaries: list[int] = []
    first = 0
    while first < count:
        remaining = needed[first]
        if remaining == 1:
            boundaries.append(count)
            break
        # Not one chunk more than needed: the rest must do with one less.
        furthest = int(reach[first])
        nearest = furthest
        while nearest - 1 > first and needed[nearest - 1] <= remaining - 1:
            nearest -= 1
        size = (ends[-1] - starts[first]) / remaining
        distances = np.abs(ends[nearest - 1 : furthest] - starts[first] - size) / size
        costs = distances + _COST_PER_DEPTH * depths[nearest : furthest + 1]
        first = nearest + int(np.argmin(costs))
        boundaries.append(first)
    return boundaries


def _chunks_needed(reach: list[int]) -> list[int]:
    """The fewest chunks that hold the atoms from each one to the last, and 0 behind it."""
    needed = [0] * (len(reach) + 1)
    for atom in range(len(reach) - 1, -1, -1):
        needed[atom] = needed[reach[atom]] + 1
    return needed
