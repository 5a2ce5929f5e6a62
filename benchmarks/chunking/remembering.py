"""An embedder that embeds each text once, however many chunkers come upon it, and says what it would have cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag_engine.protocols import Embedder, EmbedderIdentity, Tokenizer

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors

_TOGETHER = 1024  # texts


class RememberingEmbedder:
    """Keeps every vector for good: 1.5 kB a text at 384 dimensions.

    ``spent`` are the seconds that embedding took. ``charged`` counts what was remembered as well, with what it took
    when it was embedded (its share of its batch by characters): so a chunker costs the same whether its texts were met
    before or not.
    """

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self._rows: dict[str, Vectors] = {}
        self._seconds: dict[str, float] = {}
        self._questions: dict[str, Vectors] = {}
        self.spent = 0.0
        self.charged = 0.0

    @property
    def identity(self) -> EmbedderIdentity:
        """The inner embedder's."""
        return self._inner.identity

    @property
    def tokenizer(self) -> Tokenizer:
        """The inner embedder's."""
        return self._inner.tokenizer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """As the inner embedder; equal texts are embedded once."""
        new = sorted({text for text in texts if text not in self._rows}, key=lambda text: (len(text), text))
        for first in range(0, len(new), _TOGETHER):
            batch = new[first : first + _TOGETHER]
            began = time.perf_counter()
            vectors = self._inner.embed(batch)
            took = time.perf_counter() - began
            self.spent += took
            # The model reads no more than its window, whatever the text's length.
            read = [min(len(text), 8 * self.identity.max_tokens) for text in batch]
            for text, vector, characters in zip(batch, vectors, read, strict=True):
                self._rows[text] = vector
                self._seconds[text] = took * characters / max(1, sum(read))
        self.charged += sum(self._seconds[text] for text in texts)
        if not texts:
            return np.empty((0, self.identity.dimension), dtype=np.float32)
        return np.stack([self._rows[text] for text in texts])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """As the inner embedder, question by question, which is how questions come; its time is not counted."""
        for text in texts:
            if text not in self._questions:
                self._questions[text] = self._inner.embed_queries([text])[0]
        return np.stack([self._questions[text] for text in texts])
