"""An Embedder that remembers the vectors it gave, for texts that come again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag_engine.protocols import Embedder, EmbedderIdentity, Tokenizer

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors


class CachedEmbedder:
    """Holds the vectors of the last ``capacity`` texts, the least recently used leaving first (1.5 kB each
    at 384 dimensions)."""

    def __init__(self, inner: Embedder, *, capacity: int = 16_384) -> None:
        self._inner = inner
        self._capacity = capacity
        self._rows: OrderedDict[tuple[bool, str], Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def identity(self) -> EmbedderIdentity:
        """The inner embedder's."""
        return self._inner.identity

    @property
    def tokenizer(self) -> Tokenizer:
        """The inner embedder's."""
        return self._inner.tokenizer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """As the inner embedder; only texts not remembered are embedded."""
        return self._remembered(texts, query=False)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """As the inner embedder; only questions not remembered are embedded."""
        return self._remembered(texts, query=True)

    def _remembered(self, texts: Sequence[str], *, query: bool) -> Vectors:
        import numpy as np

        found: dict[str, Vectors] = {}
        with self._lock:
            for text in texts:
                row = self._rows.get((query, text))
                if row is not None:
                    self._rows.move_to_end((query, text))
                    found[text] = row
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            rows = self._inner.embed_queries(missing) if query else self._inner.embed(missing)
            found.update(zip(missing, rows, strict=True))
            with self._lock:
                # Copies, so that one remembered row does not hold its whole batch.
                self._rows.update({(query, text): found[text].copy() for text in missing})
                while len(self._rows) > self._capacity:
                    self._rows.popitem(last=False)
        if not texts:
            return np.empty((0, self.identity.dimension), dtype=np.float32)
        return np.stack([found[text] for text in texts])
