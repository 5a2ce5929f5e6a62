"""Naive retrieval: what everybody builds first, and what ours is compared with.

Fixed windows of the embedder's 256 tokens, title and text in one, the raw question's vector compared with all of them,
a document scored by its best window. The same compiled model as ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag_engine.semantic_chunking.fixed_window import FixedWindowChunker
from rag_engine.types.document import Document

if TYPE_CHECKING:
    from rag_engine.protocols import Embedder, Vectors


class NaiveRetriever:
    """Dense only, over fixed windows."""

    def __init__(self, documents: Sequence[Document], *, embedder: Embedder) -> None:
        """Chunks and embeds all documents."""
        chunker = FixedWindowChunker(tokenizer=embedder.tokenizer, max_tokens=embedder.identity.max_tokens)
        owners, texts = [], []
        for document in documents:
            whole = Document(id=document.id, text=f"{document.title}\n{document.text}".strip())
            for chunk in chunker.chunk(whole):
                owners.append(document.id)
                texts.append(chunk.text)
        self._owners = owners
        self._embedder = embedder
        self._vectors: Vectors = embedder.embed(texts)

    def rank(self, question: str, *, depth: int) -> list[tuple[str, float]]:
        """The best ``depth`` documents with their cosines, best first."""
        scores = self._vectors @ self._embedder.embed_queries([question])[0]
        best: dict[str, float] = {}
        for window in np.argsort(-scores, kind="stable"):
            best.setdefault(self._owners[window], float(scores[window]))
            if len(best) == depth:
                break
        return list(best.items())
