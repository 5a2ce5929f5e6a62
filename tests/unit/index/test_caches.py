"""Caches catch up with the catalog, or are made anew from it, and say so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import chunker_for, ingest_job
from rag_engine.index import CATALOG_NAME, Index, PreparedDocument, document_digest, embedding_key
from rag_engine.index.caches import context_of
from rag_engine.types.document import Document
from rag_engine.types.ingestion import IngestReport

OpenIndex = Callable[[], Index]
Ingest = Callable[..., IngestReport]


def lexical_hits(index: Index, word: str) -> list[int]:
    with index.view(dense=False, lexical=True) as view:
        return sorted(hit.chunk for hit in view.lexical.search(word, 1000))


def test_an_ingest_leaves_both_files_at_its_commit(index: Index, ingest: Ingest) -> None:
    report = ingest(Document("a", "common"))
    assert index.caches.on_disk() == dict.fromkeys(("dense", "lexical", "stretches", "vocabulary"), report.commit)


def test_a_file_behind_the_catalog_catches_up_without_being_rebuilt(
    open_index: OpenIndex, ingest: Ingest, index_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ingest(Document("a", "common a"))
    shutil.copytree(index_folder / "dense", index_folder.parent / "old")
    ingest(Document("b", "common b"), Document("a", "common a changed"))
    shutil.rmtree(index_folder / "dense")
    shutil.copytree(index_folder.parent / "old", index_folder / "dense")
    other = open_index()
    assert other.caches.on_disk()["dense"] == 2
    with other.view(dense=True, lexical=False) as view:
        assert view.dense.numbers().tolist() == other.catalog.chunk_numbers().tolist()  # type: ignore[attr-defined]
    assert caplog.records == []


def test_discarded_caches_come_back(index: Index, ingest: Ingest) -> None:
    ingest(Document("a", "common"))
    index.caches.discard()
    assert isinstance(index.caches.on_disk()["dense"], str)
    assert lexical_hits(index, "common") == [1]
    index.caches.save()
    assert index.caches.on_disk() == dict.fromkeys(("dense", "lexical", "stretches", "vocabulary"), 2)


def test_leftovers_of_a_killed_commit_do_not_stop_an_ingest(
    ingest: Ingest, index: Index, index_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ingest(*(Document(f"d{number}", f"common {number}") for number in range(5)))
    folder = index_folder / "lexical"
    segment = json.loads((folder / "meta.json").read_text())["segments"][0]["segment_id"].replace("-", "")
    for operation in range(200):
        (folder / f"{segment}.{operation}.del").write_bytes(b"half")
    ingest(Document("d1", "common and changed"))
    assert "rebuilt" in caplog.text
    assert len(lexical_hits(index, "common")) == 5
    assert lexical_hits(index, "changed") == [6]


def test_a_search_that_meets_damage_says_so_and_the_next_one_is_answered(index: Index, ingest: Ingest) -> None:
    ingest(*(Document(f"d{number}", f"common word{number}") for number in range(20)))
    assert lexical_hits(index, "word7") == [8]
    with index.view(dense=False, lexical=True) as view:
        view.lexical.damaged = True  # type: ignore[attr-defined]  # as a search sets it: see tests/faults
    assert lexical_hits(index, "word7") == [8]


def test_context_names_each_heading_once() -> None:
    assert context_of("Guide", ("Guide", "Refunds", "")) == "Guide\nRefunds"
    assert context_of("", ()) == ""


@pytest.mark.parametrize("more", [0, 1, 3])
def test_caches_of_a_state_that_a_restored_catalog_never_had_are_not_used(
    index_folder: Path, tmp_path: Path, more: int, hashing_embedder: HashingEmbedder
) -> None:
    with closing(Index.open(index_folder, create=True)) as index:
        ingest_job(index, hashing_embedder).ingest_documents([Document("a", "common a")])
    backup = (index_folder / CATALOG_NAME).read_bytes()
    with closing(Index.open(index_folder)) as index:
        for number in range(3):
            ingest_job(index, hashing_embedder).ingest_documents([Document(f"lost {number}", f"common {number}")])
    (index_folder / CATALOG_NAME).write_bytes(backup)
    with closing(Index.open(index_folder)) as index:
        for number in range(more):
            with index.writing(wait_seconds=1, purpose="a killed ingest"):
                put_past_the_caches(index, hashing_embedder, f"new {number}")
    with closing(Index.open(index_folder)) as index:
        numbers = index.catalog.chunk_numbers().tolist()
        assert len(numbers) == 1 + more
        assert lexical_hits(index, "common") == numbers
        assert lexical_hits(index, "newcomer") == numbers[1:]
        with index.view(dense=True, lexical=False) as view:
            vectors = hashing_embedder.embed([f"common newcomer new {number}" for number in range(more)])
            assert [view.dense.search(vector, 1)[0].chunk for vector in vectors] == numbers[1:]


def put_past_the_caches(index: Index, embedder: HashingEmbedder, name: str) -> None:
    """Commits a document as an ingest does that is killed before the caches are saved."""
    document = Document(name, f"common newcomer {name}")
    chunks = chunker_for(embedder).chunk(document)
    texts = [chunk.embedded_text for chunk in chunks]
    vectors = dict(zip(map(embedding_key, texts), embedder.embed(texts), strict=True))
    with index.catalog.change() as change:
        change.put_document(PreparedDocument(document, document_digest(document), None, chunks, vectors))
