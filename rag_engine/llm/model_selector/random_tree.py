"""One extremely randomised tree (Geurts, Ernst and Wehenkel, 2006), grown level by level."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Single = NDArray[np.float32]

_DEEPEST = 48


class Tree(NamedTuple):
    """Nodes from the root on. What is above ``threshold`` in ``feature`` goes to ``left`` + 1, else to ``left``; a leaf
    has -1 there."""

    feature: Numbers
    threshold: Single
    left: Numbers


def grow(features: Single, targets: Single, *, smallest: int, tried: int, generator: np.random.Generator) -> Tree:
    """A tree over rows of ``features``, shape (rows, columns), that tells their ``targets`` apart, shape (rows, k).

    At every node so many splits are ``tried``, each of a column drawn at random at a place drawn at random between the
    least and the greatest of the node; the best by squared error is taken. No leaf has fewer than ``smallest`` rows.
    """
    import numpy as np

    columns: list[Numbers] = [np.zeros(1, dtype=np.int64)]
    places: list[Single] = [np.zeros(1, dtype=np.float32)]
    lefts: list[Numbers] = [np.full(1, -1, dtype=np.int64)]
    rows, starts = np.arange(len(features)), np.zeros(1, dtype=np.int64)
    count = 1
    for _ in range(_DEEPEST):
        sizes = np.diff(np.append(starts, len(rows)))
        node = np.repeat(np.arange(len(starts)), sizes)
        column = generator.integers(features.shape[1], size=(len(starts), tried))
        values = features[rows[:, None], column[node]]
        least, most = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
        threshold = least + generator.random(least.shape, dtype=np.float32) * (most - least)
        above = values > threshold[node]
        gain = _gain(above, targets[rows], starts, sizes, smallest)
        best = gain.argmax(axis=1)
        split = gain[np.arange(len(starts)), best] > 0
        columns[-1][:] = column[np.arange(len(starts)), best]
        places[-1][:] = threshold[np.arange(len(starts)), best]
        born = 2 * int(split.sum())
        if not born:
            break
        lefts[-1][split] = count + np.arange(0, born, 2)
        count += born
        kept = split[node]
        child = (np.cumsum(split) - 1)[node] * 2 + above[np.arange(len(rows)), best[node]]
        order = np.argsort(child[kept], kind="stable")
        rows = rows[kept][order]
        starts = np.concatenate([[0], np.cumsum(np.bincount(child[kept], minlength=born))[:-1]])
        columns.append(np.zeros(born, dtype=np.int64))
        places.append(np.zeros(born, dtype=np.float32))
        lefts.append(np.full(born, -1, dtype=np.int64))
    return Tree(np.concatenate(columns), np.concatenate(places), np.concatenate(lefts))


def _gain(above: NDArray[np.bool_], targets: Single, starts: Numbers, sizes: Numbers, smallest: int) -> Single:
    """How much squared error each split takes away, shape (nodes, tried); below 0 where a side would be too small."""
    import numpy as np

    right = np.add.reduceat(above, starts, dtype=np.float32)
    left = sizes[:, None] - right
    total = np.add.reduceat(targets, starts)
    whole = (total**2).sum(axis=1) / sizes
    gain = np.full(right.shape, -1.0, dtype=np.float32)
    for tried in range(above.shape[1]):
        high = np.add.reduceat(targets * above[:, tried, None], starts)
        fits = (right[:, tried] >= smallest) & (left[:, tried] >= smallest)
        apart = (high**2).sum(axis=1) / np.maximum(right[:, tried], 1)
        apart += ((total - high) ** 2).sum(axis=1) / np.maximum(left[:, tried], 1)
        gain[:, tried] = np.where(fits, apart - whole, -1.0)
    return gain
