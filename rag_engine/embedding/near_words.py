"""Words near in meaning, by a model's static vectors: for other wordings of a question."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag_engine.embedding.distillation import open_static_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag_engine.protocols import Embedder

_NEAREST = 3
_SHORTEST = 4


class NearWords:
    """The nearest whole words of the model's vocabulary; words that it does not hold whole have none."""

    def __init__(self, embedder: Embedder, *, cache: Path) -> None:
        """``cache`` is the folder that holds what is made of models; it is read when first needed."""
        self._embedder = embedder
        self._cache = cache

    def __call__(self, words: Sequence[str]) -> list[list[tuple[str, float]]]:
        """For each of the words up to three others with their cosine, best first."""
        known, rows, places = self._vocabulary
        found: list[list[tuple[str, float]]] = []
        for word in words:
            place = places.get(word)
            if place is None:
                found.append([])
                continue
            likeness = rows @ rows[place]
            count = min(_NEAREST + 1, len(known))
            best = sorted(likeness.argpartition(-count)[-count:], key=lambda one: -likeness[one])
            found.append([(known[one], float(likeness[one])) for one in best if one != place][:_NEAREST])
        return found

    @cached_property
    def _vocabulary(self) -> tuple[list[str], NDArray[np.float32], dict[str, int]]:
        import numpy as np

        static = open_static_vectors(self._embedder, cache=self._cache)
        if static is None:
            return [], np.zeros((0, 1), dtype=np.float32), {}
        tokens = self._embedder.tokenizer.vocabulary()
        kept = [i for i, token in enumerate(tokens) if len(token) >= _SHORTEST and token.isalpha() and token.islower()]
        rows = static.vectors[kept].astype(np.float32)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
        known = [tokens[i] for i in kept]
        return known, rows, {word: place for place, word in enumerate(known)}
