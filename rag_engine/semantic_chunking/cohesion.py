"""How well what lies before a boundary goes with what lies behind it: arrays in, an array out.

The similarity of two windows, as in TextTiling (Hearst 1997), but by the tokens' static vectors and not by their words:
no model runs. Each value depends on the tokens of its two windows alone, so that an edit changes no others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag_engine.protocols import Numbers, TokenIds
    from rag_engine.types.static_vectors import StaticVectors

WINDOW_TOKENS = 30  # on each side: the row chunking/similarity of benchmarks/README.md; 20 and 60 did no better
_BLOCK_TOKENS = 65_536  # looked up at a time, which keeps memory flat


def cohesion(ids: TokenIds, positions: Numbers, static: StaticVectors) -> NDArray[np.float64]:
    """For boundaries before the tokens at ``positions`` (ascending), shape (positions,): 1 where both sides are as
    alike as neighbours of one subject, 0 as of two, and beyond. The less there is on a side, the nearer to 1.
    """
    import numpy as np

    similarities = np.full(len(positions), static.related)
    lows = np.maximum(positions - WINDOW_TOKENS, 0)
    highs = np.minimum(positions + WINDOW_TOKENS, len(ids))
    first = 0
    while first < len(positions):
        last = max(first + 1, int(np.searchsorted(highs, lows[first] + _BLOCK_TOKENS, side="right")))
        begin, end = lows[first], highs[last - 1]
        # A row for each dimension: sums along rows take half the time of sums over them.
        rows = np.ascontiguousarray(static.vectors.take(ids[begin:end], axis=0).T)
        sums = np.zeros((len(rows), end - begin + 1), dtype=np.int32)
        np.cumsum(rows, axis=1, dtype=np.int32, out=sums[:, 1:])
        middle = sums[:, positions[first:last] - begin]
        # Whole numbers far below 2 ** 53: exact in any order, wherever in a document they stand.
        before = (middle - sums[:, lows[first:last] - begin]).astype(np.float64)
        behind = (sums[:, highs[first:last] - begin] - middle).astype(np.float64)
        lengths = np.sqrt((before * before).sum(axis=0) * (behind * behind).sum(axis=0))
        np.divide((before * behind).sum(axis=0), lengths, out=similarities[first:last], where=lengths > 0)
        first = last
    # A few words say little: where the text begins or ends within a window, so much less does what it says count.
    known = np.minimum(positions - lows, highs - positions) / WINDOW_TOKENS
    found: NDArray[np.float64] = 1 + known * (similarities - static.related) / (static.related - static.unrelated)
    return found
