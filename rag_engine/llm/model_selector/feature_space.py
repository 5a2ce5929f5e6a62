"""Questions as rows of figures: the main directions of their vectors, their surface, and their task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag_engine.llm.model_selector.question_features import surface
from rag_engine.types.models import ModelTask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_DIRECTIONS = 40
_TASKS = tuple(ModelTask)


class FeatureSpace:
    """The directions in which a set of questions differs, by principal components of the vectors; columns in which they
    do not differ are left out. ``own`` are the features of that set."""

    def __init__(self, questions: Sequence[tuple[str, ModelTask]], vectors: Vectors) -> None:
        """``vectors`` are the questions' own, shape (questions, dimension)."""
        import numpy as np

        self._middle = vectors.mean(axis=0)
        apart = vectors - self._middle
        _, directions = np.linalg.eigh(apart.T.astype(np.float64) @ apart)
        self._directions = directions[:, ::-1][:, :_DIRECTIONS].astype(np.float32)
        self._kept = np.arange(0)
        everything = self._all(questions, vectors)
        differ = np.ptp(everything, axis=0) > 1e-6
        self._kept = np.flatnonzero(differ) if differ.any() else np.arange(1)
        self.own = everything[:, self._kept]

    def features(self, questions: Sequence[tuple[str, ModelTask]], vectors: Vectors) -> Vectors:
        """One row a question, shape (questions, columns)."""
        return self._all(questions, vectors)[:, self._kept]

    def _all(self, questions: Sequence[tuple[str, ModelTask]], vectors: Vectors) -> Vectors:
        import numpy as np

        seen = np.array(
            [[*surface(text), *(float(task is one) for one in _TASKS)] for text, task in questions], dtype=np.float32
        )
        return np.concatenate([(vectors - self._middle) @ self._directions, seen], axis=1)
