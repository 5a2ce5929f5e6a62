"""An embedder that remembers."""

from __future__ import annotations

import numpy as np

from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.embedding import CachedEmbedder


def test_a_text_is_embedded_once(hashing_embedder: HashingEmbedder) -> None:
    cached = CachedEmbedder(hashing_embedder)
    first = cached.embed(["one", "two", "one"])
    np.testing.assert_array_equal(cached.embed(["one", "two", "one"]), first)
    assert hashing_embedder.embedded == 2


def test_questions_and_documents_are_remembered_apart(hashing_embedder: HashingEmbedder) -> None:
    cached = CachedEmbedder(hashing_embedder)
    cached.embed(["one"])
    cached.embed_queries(["one"])
    assert hashing_embedder.embedded == 2


def test_the_least_recently_used_text_is_forgotten_first(hashing_embedder: HashingEmbedder) -> None:
    cached = CachedEmbedder(hashing_embedder, capacity=2)
    cached.embed(["one", "two"])
    cached.embed(["one"])
    cached.embed(["three"])
    assert hashing_embedder.embedded == 3
    cached.embed(["one"])
    assert hashing_embedder.embedded == 3
    cached.embed(["two"])
    assert hashing_embedder.embedded == 4


def test_more_texts_than_it_holds_come_back_all(hashing_embedder: HashingEmbedder) -> None:
    texts = [f"text {number}" for number in range(20)]
    cached = CachedEmbedder(hashing_embedder, capacity=3)
    np.testing.assert_array_equal(cached.embed(texts), HashingEmbedder().embed(texts))
