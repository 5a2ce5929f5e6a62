"""An encrypted file waits in quarantine until its password is given."""

from __future__ import annotations

from pathlib import Path

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import chunker_for
from rag_engine.index import Index
from rag_engine.ingestion import Sandbox, loader_versions
from rag_engine.jobs.ingest import IngestJob
from rag_engine.types.ingestion import IngestReport, LoadLimits
from tests.documents import encrypted_pdf


def ingest(index: Index, embedder: HashingEmbedder, folder: Path, *passwords: str) -> IngestReport:
    return IngestJob(
        index=index,
        chunker=chunker_for(embedder),
        embedder=embedder,
        make_sandbox=lambda: Sandbox(
            timeout_seconds=60, memory_megabytes=512, max_file_bytes=1 << 24, limits=LoadLimits(10**6, passwords)
        ),
        loader_versions=loader_versions(),
    ).ingest_paths([folder])


def test_an_encrypted_file_is_read_as_soon_as_its_password_is_given(
    index: Index, hashing_embedder: HashingEmbedder, tmp_path: Path
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(encrypted_pdf("hidden", "foo"))
    for passwords in ((), ("bar",)):
        (failure,) = ingest(index, hashing_embedder, folder, *passwords).failures
        assert failure.code == "encrypted"
    (entry,) = index.catalog.sources.quarantined()
    assert (entry.code, entry.attempts) == ("encrypted", 2)
    report = ingest(index, hashing_embedder, folder, "bar", "foo")
    assert (report.documents.added, report.failures) == (1, ())
    assert not index.catalog.sources.quarantined()
