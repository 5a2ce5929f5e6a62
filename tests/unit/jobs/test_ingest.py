"""Ingesting: what a second ingest does with what a first one left."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag_engine.errors import ConfigurationError, SourceNotFoundError
from rag_engine.index import Index
from rag_engine.jobs.ingest import IngestJob
from rag_engine.types.document import Document
from rag_engine.types.ingestion import IngestProgress

Ingest = Callable[..., Any]


def write_lines(path: Path, **texts: str) -> None:
    rows = [json.dumps({"_id": identifier, "text": text}) for identifier, text in texts.items()]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    place.mkdir()
    return place


def test_a_file_that_can_no_longer_be_read_keeps_its_old_document(ingest: Ingest, index: Index, folder: Path) -> None:
    (folder / "a.md").write_text("# One\n\nThe first version.", encoding="utf-8")
    ingest(folder)
    (folder / "a.md").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    report = ingest(folder)
    assert (report.documents.failed, report.documents.deleted) == (1, 0)
    assert any("first version" in document.text for document, _ in index.catalog.documents())


def test_a_failure_that_is_known_is_reported_again_without_another_try(
    ingest: Ingest, index: Index, folder: Path
) -> None:
    (folder / "bad.json").write_text("{", encoding="utf-8")
    first, second = ingest(folder), ingest(folder)
    assert [failure.code for failure in first.failures] == [failure.code for failure in second.failures] == ["parsing"]
    assert index.catalog.sources.quarantined()[0].attempts == 1
    (folder / "bad.json").write_text('{"text": "mended"}', encoding="utf-8")
    assert ingest(folder).documents.added == 1
    assert index.catalog.sources.quarantined() == []


def test_a_broken_line_leaves_quarantine_when_it_is_mended(ingest: Ingest, index: Index, folder: Path) -> None:
    path = folder / "rows.jsonl"
    path.write_text('{"_id": "a", "text": "one"}\n{"_id"\n', encoding="utf-8")
    report = ingest(folder)
    assert [failure.source.rsplit(":", 1)[1] for failure in report.failures] == ["2"]
    assert len(index.catalog.sources.quarantined()) == 1
    write_lines(path, a="one", b="two")
    report = ingest(folder)
    assert (report.documents.added, report.documents.unchanged, report.failures) == (1, 1, ())
    assert index.catalog.sources.quarantined() == []


def test_a_member_of_an_archive_that_fails_is_reported_until_the_archive_changes(
    ingest: Ingest, index: Index, folder: Path
) -> None:
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes/a.md", "# Title\n\nText.")
        archive.writestr("notes/b.json", "{")
    first, second = ingest(folder), ingest(folder)
    assert [failure.source for failure in first.failures] == [f"{path}/notes/b.json"]
    assert second.failures == first.failures
    assert second.documents.unchanged == 1
    assert index.catalog.sources.quarantined()[0].attempts == 1
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes/b.json", '{"text": "mended"}')
    report = ingest(folder)
    assert (report.documents.added, report.documents.deleted, report.failures) == (1, 1, ())
    assert index.catalog.sources.quarantined() == []


def test_an_encrypted_member_of_an_archive_is_tried_again_as_its_password_may_be_known(
    ingest: Ingest, index: Index, folder: Path
) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a.txt", "text")
        archive.writestr("b.eml", "Content-Type: application/pkcs7-mime\n\nsealed")
    ingest(folder)
    report = ingest(folder)
    assert [failure.code for failure in report.failures] == ["encrypted"]
    assert report.documents.unchanged == 1
    assert index.catalog.sources.quarantined()[0].attempts == 2


def test_an_id_of_another_file_is_refused_and_the_first_document_stays(
    ingest: Ingest, index: Index, folder: Path
) -> None:
    write_lines(folder / "a.jsonl", same="the first text")
    write_lines(folder / "b.jsonl", same="another text", other="third")
    report = ingest(folder)
    assert [failure.code for failure in report.failures] == ["duplicate_document"]
    assert report.documents.added == 2
    assert index.catalog.text("same") == "the first text"


def test_a_document_that_two_files_hold_outlives_the_first(ingest: Ingest, index: Index, folder: Path) -> None:
    write_lines(folder / "a.jsonl", shared="one text")
    write_lines(folder / "b.jsonl", shared="one text", own="another")
    assert ingest(folder).documents.added == 2
    (folder / "a.jsonl").unlink()
    report = ingest(folder)
    assert report.embedded == 0
    assert index.catalog.text("shared") == "one text"


def test_a_document_that_moves_from_one_file_to_another_is_not_embedded_again(
    ingest: Ingest, index: Index, folder: Path
) -> None:
    write_lines(folder / "a.jsonl", moving="one text", staying="another")
    write_lines(folder / "b.jsonl", third="third")
    ingest(folder)
    write_lines(folder / "a.jsonl", staying="another")
    write_lines(folder / "b.jsonl", third="third", moving="one text")
    ingest(folder)
    report = ingest(folder)
    assert index.catalog.text("moving") == "one text"
    assert report.embedded == 0


def test_a_renamed_file_of_records_without_ids_takes_its_records_along(
    ingest: Ingest, index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    (folder / "a.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n', encoding="utf-8")
    ingest(folder)
    (folder / "a.jsonl").rename(folder / "b.jsonl")
    report = ingest(folder)
    assert (report.documents.moved, report.documents.added, report.embedded) == (2, 0, 0)
    assert index.catalog.document_ids() == ["docs/b.jsonl#1", "docs/b.jsonl#2"]


def test_a_renamed_archive_takes_its_documents_and_failures_along(ingest: Ingest, index: Index, folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("notes/a.md", "# Title\n\nText.")
        archive.writestr("notes/b.json", "{")
    ingest(folder)
    (folder / "a.zip").rename(folder / "b.zip")
    report = ingest(folder)
    assert (report.documents.moved, report.embedded) == (1, 0)
    assert [failure.source for failure in report.failures] == [f"{folder}/b.zip/notes/b.json"]
    (document,) = [document for document, _ in index.catalog.documents()]
    assert document.id.endswith("docs/b.zip/notes/a.md")


def test_a_file_outside_what_was_asked_for_is_left_alone(ingest: Ingest, index: Index, folder: Path) -> None:
    (folder / "a.txt").write_text("one", encoding="utf-8")
    (folder / "b.txt").write_text("two", encoding="utf-8")
    ingest(folder)
    (folder / "b.txt").unlink()
    assert ingest(folder / "a.txt").documents.deleted == 0
    assert ingest(folder / "b.txt").documents.deleted == 1


def test_an_emptied_folder_empties_the_index(ingest: Ingest, index: Index, folder: Path) -> None:
    (folder / "a.txt").write_text("one", encoding="utf-8")
    ingest(folder)
    (folder / "a.txt").unlink()
    assert ingest(folder).documents.deleted == 1
    assert index.catalog.counts().chunks == 0


def test_a_folder_that_never_held_anything_is_a_mistake(ingest: Ingest, folder: Path) -> None:
    with pytest.raises(SourceNotFoundError):
        ingest(folder)


def test_another_chunker_is_refused_with_the_command_that_mends_it(
    ingest: Ingest, index: Index, hashing_embedder: Any
) -> None:
    from rag_engine.ingestion import Sandbox
    from rag_engine.semantic_chunking import StructuralChunker

    ingest(Document(id="a", text="one"))
    job = IngestJob(
        index=index,
        chunker=StructuralChunker(tokenizer=hashing_embedder.tokenizer, max_tokens=128, target_tokens=99),
        embedder=hashing_embedder,
        make_sandbox=Sandbox,  # type: ignore[arg-type]  # never called: the document comes from memory
        loader_versions={},
    )
    with pytest.raises(ConfigurationError, match="target=99") as caught:
        job.ingest_documents([Document(id="b", text="two")])
    assert "--re-embed" in caught.value.hint
    assert index.catalog.document_ids() == ["a"]


@pytest.mark.parametrize("metadata", [{"when": object()}, {"x": float("nan")}, {"x": "\ud800"}])
def test_metadata_that_cannot_be_stored_is_a_failure_of_that_document(ingest: Ingest, metadata: Any) -> None:
    report = ingest(Document(id="a", text="one", metadata=metadata), Document(id="b", text="two"))
    assert (report.documents.added, len(report.failures)) == (1, 1)


def test_progress_tells_stages_in_order_and_ends_at_the_total(
    index: Index, folder: Path, hashing_embedder: Any
) -> None:
    from benchmarks.faults.victim import ingest_job

    for number in range(5):
        (folder / f"{number}.txt").write_text(f"text number {number}", encoding="utf-8")
    told: list[IngestProgress] = []
    report = ingest_job(index, hashing_embedder, progress=told.append).ingest_paths([folder])
    stages = list(dict.fromkeys(progress.stage for progress in told))
    assert stages == ["scan", "read", "index"]
    assert all(0 <= progress.done <= progress.total for progress in told)
    assert told[-1].documents == report.documents.added == 5
    assert told[-1].commit == report.commit


def test_two_files_that_exchange_their_texts_embed_nothing(ingest: Ingest, index: Index, folder: Path) -> None:
    (folder / "a.txt").write_text("the first text", encoding="utf-8")
    (folder / "b.txt").write_text("the second text", encoding="utf-8")
    ingest(folder)
    (folder / "a.txt").write_text("the second text", encoding="utf-8")
    (folder / "b.txt").write_text("the first text", encoding="utf-8")
    report = ingest(folder)
    assert (report.documents.updated, report.embedded) == (2, 0)
    assert [document.text for document, _ in index.catalog.documents()] == ["the second text", "the first text"]
    assert len(index.catalog.chunk_numbers()) == 2
