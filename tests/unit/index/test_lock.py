"""The lock: what an index was built with, and the canaries that recognise another embedder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import ingest_job
from rag_engine.errors import CatalogDamagedError, ConfigurationError, ModelMismatchError
from rag_engine.index import (
    Catalog,
    Index,
    IndexLock,
    LockedEmbedder,
    check_embedder,
    lock_file_differs,
    read_lock,
    set_lock,
    write_lock_file,
)
from rag_engine.types.document import Document
from rag_engine.types.ingestion import IngestReport

Ingest = Callable[..., IngestReport]


def locked_catalog(folder: Path, embedder: HashingEmbedder) -> Catalog:
    catalog = Catalog.create(folder / "catalog.sqlite")
    with catalog.change() as change:
        set_lock(change, IndexLock(embedder.identity, "chunker/1", {"markdown": 1, "html": 2}), embedder)
    return catalog


def test_a_lock_comes_back_as_it_was_set(tmp_path: Path, hashing_embedder: HashingEmbedder) -> None:
    with closing(locked_catalog(tmp_path, hashing_embedder)) as catalog:
        lock = read_lock(catalog)
        assert lock is not None
        assert lock == IndexLock(hashing_embedder.identity, "chunker/1", {"html": 2, "markdown": 1})
        assert lock.fingerprint == '{"html": 2, "markdown": 1}'
        assert len(catalog.canaries()) == 16


def test_the_same_embedder_is_admitted(tmp_path: Path, hashing_embedder: HashingEmbedder) -> None:
    with closing(locked_catalog(tmp_path, hashing_embedder)) as catalog:
        check_embedder(catalog, HashingEmbedder())


@pytest.mark.parametrize("other", [HashingEmbedder(seed=1), HashingEmbedder(dimension=32)], ids=["weights", "shape"])
def test_another_embedder_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, hashing_embedder: HashingEmbedder, other: HashingEmbedder
) -> None:
    with closing(locked_catalog(tmp_path, hashing_embedder)) as catalog:
        with pytest.raises(ModelMismatchError) as raised:
            check_embedder(catalog, other)
        assert "rag ingest --re-embed" in raised.value.hint
        assert "embedding.model to hashing-0" in raised.value.hint


def test_any_embedder_is_admitted_before_the_first_ingest(tmp_path: Path) -> None:
    with closing(Catalog.create(tmp_path / "catalog.sqlite")) as catalog:
        check_embedder(catalog, HashingEmbedder(seed=5))
        assert read_lock(catalog) is None
        write_lock_file(tmp_path, catalog)
        assert not (tmp_path / "rag.lock.json").exists()
        assert not lock_file_differs(tmp_path, catalog)


def test_a_locked_embedder_is_made_and_checked_only_when_it_is_needed(tmp_path: Path) -> None:
    with closing(locked_catalog(tmp_path, HashingEmbedder())) as catalog:
        inner = HashingEmbedder()
        locked = LockedEmbedder(lambda: inner, catalog=catalog)
        assert locked.identity == inner.identity
        assert locked.tokenizer is inner.tokenizer
        assert inner.embedded == 0
        np.testing.assert_array_equal(locked.embed_queries(["a text"]), HashingEmbedder().embed(["a text"]))
        assert inner.embedded == 5
        locked.embed(["another"])
        assert inner.embedded == 6


def test_a_locked_embedder_notices_that_the_index_was_embedded_anew(index: Index, ingest: Ingest) -> None:
    ingest(Document("a", "common"))
    locked = LockedEmbedder(HashingEmbedder, catalog=index.catalog)
    locked.embed_queries(["before"])
    ingest_job(index, HashingEmbedder(seed=1)).re_embed()
    with pytest.raises(ModelMismatchError):
        locked.embed_queries(["after"])


def test_an_ingest_with_another_embedder_is_refused_and_changes_nothing(index: Index, ingest: Ingest) -> None:
    before = ingest(Document("a", "common")).commit
    with pytest.raises(ModelMismatchError):
        ingest(Document("b", "more"), embedder=HashingEmbedder(seed=1))
    assert index.catalog.commit_number() == before
    assert index.catalog.document_ids() == ["a"]


def test_an_ingest_with_other_chunks_is_refused(index: Index, ingest: Ingest) -> None:
    ingest(Document("a", "common"))
    with pytest.raises(ConfigurationError) as raised:
        ingest(Document("b", "more"), embedder=HashingEmbedder(max_tokens=48))
    assert "rag ingest --re-embed" in raised.value.hint


def test_a_lock_that_cannot_be_read_is_damage(tmp_path: Path, hashing_embedder: HashingEmbedder) -> None:
    with closing(locked_catalog(tmp_path, hashing_embedder)) as catalog:
        with catalog.change() as change:
            change.set_meta("lock", '{"embedder": {}}')
        with pytest.raises(CatalogDamagedError):
            read_lock(catalog)
