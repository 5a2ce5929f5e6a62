"""What every Embedder owes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.embedding import CachedEmbedder, SentenceTransformerEmbedder
from rag_engine.embedding.compiled import CompiledEmbedder
from rag_engine.index import Catalog, LockedEmbedder
from rag_engine.protocols import Embedder

TEXTS = [
    "How are refunds paid?",
    "A",
    "",
    "The mitochondrion is the powerhouse of the cell. " * 10,
    "黑豹队的防守只丢了 308 分",
    "line\nbreak\tand \u200b zero width",
    "How are refunds paid?",
]


@pytest.fixture(params=["sentence-transformers", "compiled", "cached", "locked", "hashing"])
def subject(
    request: pytest.FixtureRequest,
    embedder: SentenceTransformerEmbedder,
    compiled_embedder: CompiledEmbedder,
    tmp_path: Path,
) -> Iterator[Embedder]:
    match request.param:
        case "sentence-transformers":
            yield embedder
        case "compiled":
            yield compiled_embedder
        case "cached":
            yield CachedEmbedder(embedder, capacity=3)
        case "locked":
            with closing(Catalog.create(tmp_path / "catalog.sqlite")) as catalog:
                yield LockedEmbedder(lambda: embedder, catalog=catalog)
        case _:
            yield HashingEmbedder()


def test_rows_are_unit_float32_vectors(subject: Embedder) -> None:
    for rows in (subject.embed(TEXTS), subject.embed_queries(TEXTS)):
        assert rows.shape == (len(TEXTS), subject.identity.dimension)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_no_texts_make_no_rows(subject: Embedder) -> None:
    for rows in (subject.embed([]), subject.embed_queries([])):
        assert rows.shape == (0, subject.identity.dimension)
        assert rows.dtype == np.float32


def test_rows_stand_in_the_order_of_the_texts(subject: Embedder) -> None:
    rows = subject.embed(TEXTS)
    np.testing.assert_allclose(subject.embed(TEXTS[::-1]), rows[::-1], atol=1e-5)
    np.testing.assert_array_equal(rows[0], rows[-1])


def test_a_text_has_the_same_vector_whatever_it_is_embedded_with(subject: Embedder) -> None:
    together = subject.embed(TEXTS)
    for row, text in zip(together, TEXTS, strict=True):
        np.testing.assert_allclose(subject.embed([text])[0], row, atol=1e-5)


def test_different_texts_have_different_vectors(subject: Embedder) -> None:
    rows = subject.embed(["refunds are paid", "cells have walls"])
    assert float(rows[0] @ rows[1]) < 0.9


def test_the_rows_are_the_callers_own(subject: Embedder) -> None:
    rows = subject.embed(["a text"])
    before = rows.copy()
    rows[:] = 0
    np.testing.assert_array_equal(subject.embed(["a text"]), before)


def test_the_tokenizer_counts_what_the_window_holds(subject: Embedder) -> None:
    assert subject.identity.max_tokens > 16
    counts = subject.tokenizer.count(["one", "one two three four five six seven"])
    assert 0 < counts[0] < counts[1]
