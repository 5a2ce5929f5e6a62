"""A deterministic Embedder without a model, for programs and tests that are about everything but the vectors."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rag_engine.protocols import EmbedderIdentity
from rag_engine.token_counter import EstimatedTokenizer

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors

_WORD = re.compile(r"\w+")


class HashingEmbedder:
    """Adds up a pseudo-random direction for each word (feature hashing, Weinberger et al. 2009)."""

    def __init__(self, *, dimension: int = 64, seed: int = 0, max_tokens: int = 64) -> None:
        """Embedders of one ``dimension`` and ``seed`` are equal; another seed is another model of the same shape."""
        self._seed = seed
        self.identity = EmbedderIdentity(
            model=f"hashing-{seed}",
            weights=hashlib.sha256(f"{seed}".encode()).hexdigest(),
            tokenizer=hashlib.sha256(b"estimate").hexdigest(),
            pooling="sum",
            normalized=True,
            prompts="{}",
            dimension=dimension,
            max_tokens=max_tokens,
            runtime="numpy",
        )
        self.tokenizer = EstimatedTokenizer()
        self._direction = lru_cache(maxsize=4096)(self._new_direction)
        self.embedded = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit float32 rows, shape (len(texts), dimension); ``embedded`` counts the texts."""
        self.embedded += len(texts)
        rows = np.empty((len(texts), self.identity.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            # One direction for every text, so that a text without words has a unit vector too.
            total = self._direction("") + sum(self._direction(word) for word in _WORD.findall(text.lower()))
            row[:] = total / np.linalg.norm(total)
        return rows

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """The same: there is no query prompt."""
        return self.embed(texts)

    def _new_direction(self, word: str) -> Vectors:
        digest = hashlib.blake2b(f"{self._seed} {word}".encode(), digest_size=8).digest()
        generator = np.random.default_rng(int.from_bytes(digest))
        return generator.standard_normal(self.identity.dimension).astype(np.float32)
