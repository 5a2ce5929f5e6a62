"""The compiled model against sentence-transformers in single precision, on texts that it was not checked with."""

from __future__ import annotations

import numpy as np

from rag_engine.embedding import SentenceTransformerEmbedder
from rag_engine.embedding.compiled import CompiledEmbedder

SUBJECTS = {
    "tides": ["The moon pulls the oceans towards it twice a day.", "At new moon the tide is highest.", "Ebb and flood"],
    "bread": ["Sourdough rises slowly because wild yeast is weak.", "Knead the dough for ten minutes.", "rye flour"],
    "sockets": ["A socket is closed by both sides.", "TCP retransmits what was not acknowledged.", "port 443"],
    "law": ["The court dismissed the appeal.", "Damages are limited to the price paid.", "burden of proof"],
}
TEXTS = [text for texts in SUBJECTS.values() for text in texts] + ["", "a", "word " * 600, "東京は日本の首都です。"]


def test_vectors_are_close(compiled_embedder: CompiledEmbedder, embedder: SentenceTransformerEmbedder) -> None:
    original = embedder.embed(TEXTS)
    for vectors in (compiled_embedder.embed(TEXTS), compiled_embedder.embed_queries(TEXTS)):
        cosines = (vectors * original).sum(axis=1)
        assert cosines.mean() > 0.98
        assert cosines.min() > 0.93


def test_the_nearest_text_stays_the_nearest(
    compiled_embedder: CompiledEmbedder, embedder: SentenceTransformerEmbedder
) -> None:
    texts, questions = TEXTS[:12], ["what causes high tide", "how to bake bread", "network connection", "judgement"]
    best = [embedder.embed(texts) @ row for row in embedder.embed_queries(questions)]
    found = [compiled_embedder.embed(texts) @ row for row in compiled_embedder.embed_queries(questions)]
    assert [int(np.argmax(row)) for row in found] == [int(np.argmax(row)) for row in best]


def test_many_texts_of_all_lengths_come_back_in_order(
    compiled_embedder: CompiledEmbedder, embedder: SentenceTransformerEmbedder
) -> None:
    texts = [" ".join(["tide", "moon", "dough", "court"][: 1 + i % 4] * (1 + i % 60)) for i in range(300)]
    together = compiled_embedder.embed(texts)
    for i in (0, 7, 123, 299):
        np.testing.assert_allclose(together[i], compiled_embedder.embed([texts[i]])[0], atol=2e-2)
