"""A model's static vectors: one for each token of its vocabulary, whatever stands beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class StaticVectors:
    """``vectors`` has the shape (vocabulary, dimension): small whole numbers, so that sums of them are exact.

    ``related`` is how alike neighbouring texts of one subject are by them, the mean cosine, and ``unrelated`` how alike
    texts of two subjects.
    """

    vectors: NDArray[np.int8]
    related: float
    unrelated: float
