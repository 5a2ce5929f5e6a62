"""The truncation ledger: what is left out of a document is told by name, and refused where it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.errors import TruncatedError
from rag_engine.index import Index
from rag_engine.ingestion import Sandbox, loader_versions
from rag_engine.jobs.health import HealthJob
from rag_engine.jobs.ingest import IngestJob
from rag_engine.semantic_chunking import StructuralChunker
from rag_engine.types.document import Document, Truncation
from rag_engine.types.health import EmbeddingPath, IndexStatus
from rag_engine.types.ingestion import IngestReport, LoadLimits, TruncatedDocument

WINDOW = 64
SHORT = "One short sentence."
LONG = " ".join(f"The word number {number} of a long text." for number in range(40))
CUT = Document(id="cut", text=SHORT, truncations=(Truncation("rows of Sales", 10, 25),))

Take = Callable[..., IngestReport]


@pytest.fixture
def job(index: Index, hashing_embedder: HashingEmbedder) -> Callable[..., IngestJob]:
    """Makes ingests whose chunks, with ``wide``, are over the embedder's window."""

    def make(*, strict: bool = False, wide: bool = True, seed: int = 0) -> IngestJob:
        tokens = 4 * WINDOW if wide else WINDOW
        return IngestJob(
            index=index,
            chunker=StructuralChunker(
                tokenizer=hashing_embedder.tokenizer, max_tokens=tokens, target_tokens=tokens - seed
            ),
            embedder=hashing_embedder,
            make_sandbox=lambda: Sandbox(
                timeout_seconds=60, memory_megabytes=512, max_file_bytes=1 << 24, limits=LoadLimits(10**6)
            ),
            loader_versions=loader_versions(),
            strict=strict,
        )

    return make


def status(index: Index, embedder: HashingEmbedder) -> IndexStatus:
    nothing = EmbeddingPath("none", "none", "none")
    return HealthJob(index=index, make_embedder=lambda: embedder, embedding_path=lambda: nothing).status()


def test_what_a_loader_left_out_is_told_by_report_and_status(
    job: Callable[..., IngestJob], index: Index, hashing_embedder: HashingEmbedder
) -> None:
    entry = TruncatedDocument("cut", "loader", "rows of Sales", 10, 25)
    report = job().ingest_documents([CUT, Document(id="whole", text=SHORT)])
    assert (report.truncated, report.truncations, report.failures) == (1, (entry,), ())
    found = status(index, hashing_embedder)
    assert (found.truncated, found.truncations) == (1, (entry,))
    assert [document.truncations for document, _ in index.catalog.documents()] == [CUT.truncations, ()]


def test_a_chunk_over_the_models_window_is_in_the_ledger_with_its_characters(
    job: Callable[..., IngestJob], index: Index, hashing_embedder: HashingEmbedder
) -> None:
    report = job().ingest_documents([Document(id="long", text=LONG)])
    assert report.truncated == len(report.truncations) > 0
    first = report.truncations[0]
    assert (first.document, first.stage, first.kept) == ("long", "embedder", WINDOW)
    assert first.of > WINDOW
    assert first.what.startswith("tokens of characters 0 to ")
    assert status(index, hashing_embedder).truncations == report.truncations


def test_the_ledger_does_not_depend_on_the_order_of_the_documents(
    job: Callable[..., IngestJob], index: Index, hashing_embedder: HashingEmbedder
) -> None:
    documents = [
        Document(id=name, text=LONG, truncations=(Truncation("pages", 1, 2), Truncation("notes", 0, 1)))
        for name in ("a", "b", "c")
    ]
    job().ingest_documents(documents)
    forward = status(index, hashing_embedder).truncations
    with index.catalog.change() as change:
        change.delete_documents(["a", "b", "c"])
    assert status(index, hashing_embedder).truncated == 0
    job().ingest_documents(documents[::-1])
    assert status(index, hashing_embedder).truncations == forward
    assert [entry.what for entry in forward[:3]][-2:] != ["notes", "pages"]  # a loader's own order is kept


def test_an_entry_goes_with_what_it_is_about(job: Callable[..., IngestJob], index: Index) -> None:
    job().ingest_documents([CUT])
    report = job().ingest_documents([Document(id="cut", text=SHORT)])
    assert (report.documents.updated, report.truncated) == (1, 0)
    assert len(index.catalog.truncations(window=WINDOW)) == 0


def test_embedding_anew_keeps_what_loaders_left_out_and_recounts_what_the_model_does(
    job: Callable[..., IngestJob], index: Index
) -> None:
    job().ingest_documents([CUT, Document(id="long", text=LONG)])
    assert len(index.catalog.truncations(window=WINDOW)) > 1
    report = job(wide=False).re_embed()
    assert [entry.document for entry in report.truncations] == ["cut"]
    assert len(index.catalog.truncations(window=WINDOW)) == 1


def test_a_strict_ingest_refuses_what_would_be_cut_by_name(job: Callable[..., IngestJob], index: Index) -> None:
    report = job(strict=True).ingest_documents([CUT, Document(id="long", text=LONG), Document(id="a", text=SHORT)])
    assert [(failure.source, failure.code) for failure in report.failures] == [
        ("cut", "truncated"),
        ("long", "truncated"),
    ]
    assert "10 of 25 rows of Sales" in report.failures[0].error
    assert (report.truncated, index.catalog.document_ids()) == (0, ["a"])


def test_a_strict_embedding_anew_refuses_and_leaves_everything_as_it_was(
    job: Callable[..., IngestJob], index: Index
) -> None:
    job().ingest_documents([Document(id="long", text=LONG)])
    before = index.catalog.counts()
    with pytest.raises(TruncatedError, match="tokens of characters 0 to"):
        job(strict=True, seed=1).re_embed()
    assert index.catalog.counts() == before


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    place.mkdir()
    (place / "long.txt").write_text(LONG)
    (place / "short.txt").write_text(SHORT)
    return place


def refused(report: IngestReport) -> list[str]:
    return [Path(failure.source.split(": ")[0]).name for failure in report.failures if failure.code == "truncated"]


def test_what_strictness_refused_is_in_quarantine_until_an_ingest_without_it(
    job: Callable[..., IngestJob], index: Index, folder: Path
) -> None:
    first = job(strict=True).ingest_paths([folder])
    assert (refused(first), first.documents.added) == (["long.txt"], 1)
    (entry,) = index.catalog.sources.quarantined()
    assert (entry.code, entry.attempts) == ("truncated", 1)
    again = job(strict=True).ingest_paths([folder])
    assert (refused(again), again.documents.unchanged, index.catalog.sources.quarantined()) == (
        ["long.txt"],
        1,
        [entry],
    )
    lenient = job().ingest_paths([folder])
    assert (lenient.documents.added, lenient.failures, lenient.truncated > 0) == (1, (), True)
    assert index.catalog.sources.quarantined() == []


def test_strictness_finds_what_was_cut_before_and_leaves_it_stored(
    job: Callable[..., IngestJob], index: Index, folder: Path
) -> None:
    assert job().ingest_paths([folder]).documents.added == 2
    for _ in range(2):
        report = job(strict=True).ingest_paths([folder])
        assert (refused(report), report.documents.deleted) == (["long.txt"], 0)
        assert index.catalog.counts().documents == 2
    assert job().ingest_paths([folder]).failures == ()
