"""Ingesting again: what is unchanged costs a look at its folder, what changed costs what changed."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import chunker_for
from rag_engine.embedding import DEFAULT_MODEL, find_model
from rag_engine.index import Index
from rag_engine.ingestion import Sandbox, loader_versions
from rag_engine.jobs.ingest import IngestJob
from rag_engine.semantic_chunking import StructuralChunker
from rag_engine.token_counter import ModelTokenizer
from rag_engine.types.ingestion import IngestReport, LoadLimits

Again = Callable[..., IngestReport]
A_DAY = 86_400 * 10**9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    place.mkdir()
    for number in range(4):
        (place / f"{number}.md").write_text(f"# Page {number}\n\nThe text of page {number}.")
    return place


@pytest.fixture
def again(index: Index, hashing_embedder: HashingEmbedder) -> Again:
    """Ingests paths; by default a day after they were last touched."""

    def again(*paths: Path, later: int = A_DAY) -> IngestReport:
        now = time.time_ns() + later
        return job(index, hashing_embedder, now=lambda: now).ingest_paths(list(paths))

    return again


def job(index: Index, embedder: HashingEmbedder, **options: Any) -> IngestJob:
    return IngestJob(
        index=index,
        embedder=embedder,
        make_sandbox=lambda: Sandbox(
            timeout_seconds=60, memory_megabytes=512, max_file_bytes=1 << 24, limits=LoadLimits(10**6)
        ),
        loader_versions=loader_versions(),
        **{"chunker": chunker_for(embedder), **options},
    )


def hashed(report: IngestReport) -> bool:
    return "hash" in report.stages


def test_an_unchanged_tree_is_neither_hashed_nor_written(again: Again, index: Index, folder: Path) -> None:
    first = again(folder)
    before = {path.name: path.read_bytes() for path in index.folder.iterdir() if path.suffix == ".sqlite"}
    report = again(folder)
    assert (report.documents.unchanged, report.commit, hashed(report)) == (4, first.commit, False)
    assert {"parse", "chunk", "embed", "commit"}.isdisjoint(report.stages)
    assert {path.name: path.read_bytes() for path in index.folder.iterdir() if path.suffix == ".sqlite"} == before


def test_a_file_that_changed_just_before_it_was_read_is_hashed_until_it_has_rested(again: Again, folder: Path) -> None:
    again(folder, later=0)
    assert hashed(again(folder, later=0))  # its folder might say the same of other bytes
    assert hashed(again(folder))
    assert not hashed(again(folder))


@pytest.mark.parametrize("keep_time", [True, False])
def test_other_bytes_of_the_same_length_are_noticed(again: Again, index: Index, folder: Path, keep_time: bool) -> None:
    again(folder)
    status = (folder / "1.md").stat()
    (folder / "1.md").write_text("# Page 1\n\nThe text of page X.")
    if keep_time:  # as copying programs do; the inode's own time cannot be set back
        os.utime(folder / "1.md", ns=(status.st_atime_ns, status.st_mtime_ns))
    report = again(folder)
    assert (report.documents.updated, report.documents.unchanged) == (1, 3)
    assert any("page X" in document.text for document, _ in index.catalog.documents())


def test_a_file_in_the_place_of_another_is_noticed_by_its_inode(again: Again, folder: Path) -> None:
    again(folder)
    (folder / "new").write_text("# Page 2\n\nThe text of page 9.")
    (folder / "new").replace(folder / "2.md")
    assert again(folder).documents.updated == 1


def test_a_touched_file_is_hashed_once_and_makes_no_commit(again: Again, folder: Path) -> None:
    first = again(folder)
    os.utime(folder / "3.md")
    report = again(folder)
    assert (report.documents.unchanged, report.commit, hashed(report)) == (4, first.commit, True)
    assert not hashed(again(folder))


def test_new_files_are_not_hashed_unless_others_have_or_had_their_size(again: Again, folder: Path) -> None:
    for number in range(4):
        (folder / f"{number}.md").write_text(f"# Page {number}" + " and more" * number)
    assert not hashed(again(folder))
    (folder / "4.md").write_text("# Page 4\n\nThe text of page 4.")
    assert not hashed(again(folder))
    (folder / "4.md").rename(folder / "5.md")
    report = again(folder)
    assert (report.documents.moved, report.documents.unchanged, report.embedded, hashed(report)) == (1, 4, 0, True)
    assert not hashed(again(folder))


def test_files_that_were_renamed_move_in_one_commit(again: Again, index: Index, folder: Path) -> None:
    first = again(folder)
    for number in range(4):
        (folder / f"{number}.md").rename(folder / f"moved-{number}.md")
    report = again(folder)
    assert (report.documents.moved, report.documents.unchanged, report.documents.deleted) == (4, 0, 0)
    assert report.commit == first.commit + 1
    assert sorted(index.catalog.sources.count_documents()) == [str(folder / f"moved-{n}.md") for n in range(4)]


def test_a_file_that_is_known_to_fail_is_hashed_not_read(again: Again, folder: Path, index: Index) -> None:
    (folder / "bad.json").write_text("{")
    again(folder)
    report = again(folder)
    assert (report.documents.failed, "parse" in report.stages) == (1, False)
    assert index.catalog.sources.quarantined()[0].attempts == 1
    (folder / "bad.json").write_text("[")  # as long, and as broken, but other bytes
    again(folder)
    assert index.catalog.sources.quarantined()[0].attempts == 2


def test_a_catalog_from_before_files_status_was_kept_hashes_once(again: Again, index: Index, folder: Path) -> None:
    again(folder)
    with closing(sqlite3.connect(index.catalog.path)) as connection, connection:
        connection.execute("update sources set modified = null, changed = null, inode = null")
    assert hashed(again(folder))
    assert not hashed(again(folder))


def test_a_deletion_is_invisible_from_its_commit_on(again: Again, index: Index, folder: Path) -> None:
    again(folder)
    (folder / "2.md").unlink()
    report = again(folder)
    assert report.documents.deleted == 1
    with index.view(dense=True, lexical=True) as view:
        assert view.commit == report.commit
        assert len(view.dense) == len(view.lexical) == len(index.catalog.chunk_numbers()) == 3
        found = view.passages([hit.chunk for hit in view.lexical.search("text of page", 10)])
    assert all("page 2" not in passage.text for passage in found.values())


@pytest.mark.parametrize("number", range(0, 60, 7))
def test_one_edited_paragraph_embeds_at_most_three_chunks(
    index: Index, hashing_embedder: HashingEmbedder, tmp_path: Path, number: int
) -> None:
    file, model = tmp_path / "document.md", find_model(DEFAULT_MODEL)
    tokenizer = ModelTokenizer(model.folder / "tokenizer.json", name=model.name)
    chunker = StructuralChunker(tokenizer=tokenizer, max_tokens=256, target_tokens=256)

    def ingest(parts: list[str]) -> IngestReport:
        file.write_text("\n\n".join(parts))
        return job(index, hashing_embedder, chunker=chunker).ingest_paths([file])

    parts = [
        f"In part {n} a meter is read {n * 7} times, as rule {n * n} has it. " * (n % 5 + 1) + f"That was {n}."
        for n in range(60)
    ]
    assert ingest(parts).embedded > 10
    parts[number] += " Nobody had thought of that before, and it was soon forgotten again."
    report = ingest(parts)
    assert 1 <= report.embedded <= 3
    assert report.chunks.reused > 7
