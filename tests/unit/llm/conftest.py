from __future__ import annotations

import pytest

from rag_engine.embedding import CachedEmbedder, SentenceTransformerEmbedder


@pytest.fixture(scope="session")
def embedder(embedder: SentenceTransformerEmbedder) -> CachedEmbedder:
    """The default model, remembering: sentences come again with every question about them."""
    return CachedEmbedder(embedder)
