"""Boundaries between chunks: arrays in, cuts out, with no knowledge of text.

The best segmentation under a budget of tokens, by dynamic programming (Utiyama and Isahara, "A Statistical Model for
Domain-Independent Text Segmentation", 2001; with structure's costs in place of their likelihood).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag_engine.protocols import Numbers

    Sizes = NDArray[np.float64]

# All costs are in chunks: a chunk more costs one. Chosen by the rows of chunking/* in benchmarks/README.md.
# What a cut costs by its depth, from sections and pages to code points: nothing between blocks, as much as a chunk
# between sentences, far more within one.
_COST_OF_DEPTH = (-0.1, -0.05, 0.0, 0.15, 0.3, 1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 8.0)
# Of segmentations with as many cuts of as good a kind, the one with chunks of about equal size costs the least: this
# times the square of the share of its capacity that a chunk leaves empty.
_COST_OF_EMPTINESS = 0.3
# A chunk that holds a part of a block and something of its neighbour beside it: for each such end.
_COST_OF_MIXTURE = 0.7
# A cut where both sides are of one subject costs so much more than where they are of two.
_COST_OF_COHESION = 0.8
_LEAST_COHESION = -0.25  # below, a difference says nothing more
_DEEPEST_WHOLE = 3  # a boundary of this depth or less ends a whole
# A stretch of up to so many capacities is cut as a whole; a longer one is divided first, into parts of one at least.
_LARGEST_STRETCH = 4
_LEAST_STRETCH = 1
# Atoms of less than this share of a capacity are taken together, which bounds the cuts that are tried.
_LEAST_ATOM = 1 / 24


class Atoms(NamedTuple):
    """What chunks are made of, in order; each array has the shape (atoms,).

    ``sizes`` are sizes of the atoms, ``gaps`` sizes of what lies before each, which counts only inside a chunk;
    ``depths`` say how deep in the structure the boundary before each lies; ``marks`` are numbers from 0 to 1, by each
    atom's text alone and as if by chance; ``cohesion`` says how well what lies before goes with what lies behind: 1 as
    within one subject, 0 as between two.
    """

    sizes: Sizes
    gaps: Sizes
    depths: Numbers
    marks: Sizes
    cohesion: Sizes

    def between(self, first: int, last: int) -> Atoms:
        """Those from ``first`` to before ``last``."""
        return Atoms(
            self.sizes[first:last],
            self.gaps[first:last],
            self.depths[first:last],
            self.marks[first:last],
            self.cohesion[first:last],
        )


def chunk_boundaries(atoms: Atoms, capacity: float) -> list[int]:
    """Ends of the chunks, as exclusive atom numbers, ascending; the last is the number of atoms.

    What fills up to four chunks is cut by ``best_boundaries``; a longer text is first divided into stretches that do,
    at the shallowest boundaries, and of these at the least mark. So an edit moves the cuts of its own stretch, seldom
    also of the next, and not all of them. Time is linear in the atoms but for logarithms.
    """
    return [
        first + end
        for first, last in _stretches(atoms, capacity)
        for end in best_boundaries(atoms.between(first, last), capacity)
    ]


def _stretches(atoms: Atoms, capacity: float) -> Iterator[tuple[int, int]]:
    """Ranges [first, last) of atoms, in order. Each division is made by what is least in its range, as in a treap: it
    is the same wherever else the text was edited."""
    import numpy as np

    ends = np.cumsum(atoms.sizes + atoms.gaps)
    starts = ends - atoms.sizes
    order = atoms.depths + atoms.marks
    waiting = [(0, len(starts))]
    while waiting:
        first, last = waiting.pop()
        nearest = int(np.searchsorted(ends, starts[first] + _LEAST_STRETCH * capacity)) + 1
        furthest = int(np.searchsorted(starts, ends[last - 1] - _LEAST_STRETCH * capacity, side="right"))
        if ends[last - 1] - starts[first] <= _LARGEST_STRETCH * capacity or nearest >= furthest:
            yield first, last
            continue
        costs = order[nearest:furthest]
        least = np.flatnonzero(costs == costs.min())
        # Texts that repeat themselves have equal marks: the division in the middle keeps the time from growing.
        middle = nearest + int(least[len(least) // 2])
        waiting += [(middle, last), (first, middle)]


def best_boundaries(atoms: Atoms, capacity: float) -> list[int]:
    """Ends of the chunks that cost the least in all, as exclusive atom numbers, ascending; the last is the number of
    atoms.

    Each chunk costs 1 and a little for what it leaves empty, each cut what its depth and cohesion say, and a chunk that
    begins or ends within a block and reaches over that block's other end costs more. No chunk is over the capacity but
    an atom that is by itself.
    """
    import numpy as np

    joined = _joined(atoms, capacity)
    reached = np.cumsum(atoms.sizes + atoms.gaps)
    starts = (reached - atoms.sizes)[joined].tolist()
    ends = np.append(reached[joined[1:] - 1], reached[-1]).tolist()
    depths = atoms.depths[joined]
    cohesion = np.maximum(atoms.cohesion[joined], _LEAST_COHESION)
    by_depth = np.asarray(_COST_OF_DEPTH)[np.minimum(depths, len(_COST_OF_DEPTH) - 1)]
    cuts = (by_depth + _COST_OF_COHESION * (cohesion - 1)).tolist()
    whole = depths <= _DEEPEST_WHOLE
    wholes = np.cumsum(whole).tolist()
    inside = [*(~whole).tolist(), False]
    cuts[0], inside[0] = 0.0, False  # no cut is made there
    count = len(starts)
    least = [0.0] * (count + 1)
    best = [0] * (count + 1)
    for end in range(1, count + 1):
        last = end - 1
        begin = last
        empty = max(0.0, 1 - (ends[last] - starts[begin]) / capacity)
        cost = least[begin] + cuts[begin] + 1 + _COST_OF_EMPTINESS * empty * empty
        chosen = begin
        mixed = _COST_OF_MIXTURE if inside[end] else 0.0
        lowest = ends[last] - capacity
        while begin and starts[begin - 1] >= lowest:
            begin -= 1
            empty = 1 - (ends[last] - starts[begin]) / capacity
            other = least[begin] + cuts[begin] + 1 + _COST_OF_EMPTINESS * empty * empty
            if wholes[begin] != wholes[last]:
                other += mixed + (_COST_OF_MIXTURE if inside[begin] else 0.0)
            if other < cost:
                cost, chosen = other, begin
        least[end], best[end] = cost, chosen
    found = [count]
    while best[found[-1]]:
        found.append(best[found[-1]])
    return [int(joined[end]) if end < count else len(atoms.sizes) for end in reversed(found)]


def _joined(atoms: Atoms, capacity: float) -> Numbers:
    """The first atoms of groups that are not cut: each atom by itself, unless they are many and tiny."""
    import numpy as np

    count = len(atoms.sizes)
    if atoms.sizes.sum() >= _LEAST_ATOM * capacity * count:
        return np.arange(count)
    firsts = [0]
    ends = np.cumsum(atoms.sizes + atoms.gaps)
    while firsts[-1] < count:
        begun = ends[firsts[-1]] - atoms.sizes[firsts[-1]]
        firsts.append(max(int(np.searchsorted(ends, begun + _LEAST_ATOM * capacity, side="right")), firsts[-1] + 1))
    return np.asarray(firsts[:-1])
