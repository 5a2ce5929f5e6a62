"""Indexes made for measuring are indexes as an ingest makes them."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed.grown_index import RealChunks, build
from rag_engine import Engine
from rag_engine.index import CATALOG_NAME, Catalog

DIMENSION = 384
REAL = 10


@pytest.fixture
def real() -> RealChunks:
    """Ten texts of common words, each with a name of its own, and orthogonal vectors."""
    texts = [f"alpha{number} " + "the common words of every text in the corpus " * 3 for number in range(REAL)]
    return RealChunks(texts, np.eye(DIMENSION, dtype=np.float32)[:REAL])


@pytest.mark.parametrize("chunks", [6, 50])
def test_an_index_of_any_size_holds_what_was_asked_and_nothing_is_wrong_with_it(
    tmp_path: Path, real: RealChunks, chunks: int
) -> None:
    folder = tmp_path / "grown"

    build(folder, chunks, real)

    with Engine.open(folder, create=False) as engine:
        status = engine.status()
        found = engine.search("alpha3", k=20, mode="lexical")
        dense = engine.search("common words", k=5, mode="dense")
    assert status.chunks == chunks + 2  # the first document and the last one
    assert len(dense) == 5
    assert "alpha3" in found[0].text.split()


def test_copies_have_words_and_vectors_of_their_own(tmp_path: Path, real: RealChunks) -> None:
    folder = tmp_path / "grown"
    build(folder, 40, real)

    catalog = Catalog(folder / CATALOG_NAME)
    with catalog.reading():
        entries = [entry for portion in catalog.added_since(0) for entry in portion][1:-1]
    catalog.close()
    vectors = np.stack([entry.vector for entry in entries])
    assert len({entry.vector.tobytes() for entry in entries}) == 40
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    nearest = (vectors[REAL:] @ real.vectors.T).max(axis=1)
    assert nearest.min() > 0.4
    assert nearest.max() < 1
