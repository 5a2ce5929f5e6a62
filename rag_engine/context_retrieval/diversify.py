"""Maximal marginal relevance: passages that are good, and not yet said by those before them.

Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing summaries"
(SIGIR 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors

# So many of the best are put in a new order, whatever the number of results asked for: so asking for more of them
# changes none of those before.
DIVERSIFIED = 50


def diversified(scores: Sequence[float], vectors: Vectors, *, diversity: float) -> list[int]:
    """The order, as positions, in which each is the best of what is left by ``1 - diversity`` of its score less
    ``diversity`` of its highest cosine with those before it; ties go to the earlier one.

    ``scores``, best first, are about 0 to 1; ``vectors`` are unit rows, shape (len(scores), dimension). A negative
    cosine counts as none, so that ``diversity`` 0 leaves all as it is.
    """
    import numpy as np

    worth = (1 - diversity) * np.asarray(scores, dtype=np.float64)
    nearest = np.zeros(len(worth))
    left = np.ones(len(worth), dtype=bool)
    order: list[int] = []
    for _ in range(len(worth)):
        best = int(np.argmax(np.where(left, worth - diversity * nearest, -np.inf)))
        order.append(best)
        left[best] = False
        np.maximum(nearest, vectors @ vectors[best], out=nearest)
    return order
