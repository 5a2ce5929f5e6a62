from __future__ import annotations

import pytest

from rag_engine.embedding import DEFAULT_MODEL, CachedEmbedder, SentenceTransformerEmbedder, find_model


@pytest.fixture(scope="session")
def embedder() -> CachedEmbedder:
    return CachedEmbedder(SentenceTransformerEmbedder(files=find_model(DEFAULT_MODEL)))
