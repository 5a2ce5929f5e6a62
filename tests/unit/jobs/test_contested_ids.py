"""Records that move from one file to another are never lost on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import ingest_job
from rag_engine.index import Index
from rag_engine.types.ingestion import IngestProgress, IngestReport

Ingest = Callable[..., IngestReport]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "records").mkdir()
    return tmp_path / "records"


def write(file: Path, **records: str) -> None:
    lines = [json.dumps({"_id": identifier, "text": text}) for identifier, text in records.items()]
    file.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(("giver", "taker"), [("a.jsonl", "b.jsonl"), ("b.jsonl", "a.jsonl")])
@pytest.mark.parametrize("text", ["two", "two, edited on the way"])
def test_a_record_that_moves_between_files_is_there_after_one_ingest(
    index: Index, ingest: Ingest, folder: Path, giver: str, taker: str, text: str
) -> None:
    write(folder / giver, one="one", two="two")
    write(folder / taker, three="three")
    ingest(folder)
    write(folder / giver, one="one")
    write(folder / taker, three="three", two=text)
    report = ingest(folder)
    assert report.failures == ()
    assert sorted(index.catalog.document_ids()) == ["one", "three", "two"]
    assert index.catalog.text("two") == text
    assert sorted(index.catalog.document_ids(str(folder / taker))) == ["three", "two"]
    assert ingest(folder).documents.unchanged == 3


@pytest.mark.parametrize(("giver", "taker"), [("a.jsonl", "b.jsonl"), ("b.jsonl", "a.jsonl")])
def test_a_record_that_moves_is_there_at_every_commit(
    index: Index, ingest: Ingest, folder: Path, giver: str, taker: str, hashing_embedder: HashingEmbedder
) -> None:
    write(folder / giver, one="one", two="two")
    write(folder / taker, **{f"other{number}": f"other {number}" for number in range(30)})
    ingest(folder)
    write(folder / giver, one="one")
    write(folder / taker, two="two", **{f"new{number}": f"new {number}" for number in range(30)})
    seen: dict[int, bool] = {}

    def watch(progress: IngestProgress) -> None:
        seen[progress.commit] = index.catalog.text("two") == "two"

    ingest_job(index, hashing_embedder, progress=watch).ingest_paths([folder])
    assert len(seen) > 3
    assert all(seen.values())
    assert index.catalog.document_ids(str(folder / giver)) == ["one"]


def test_files_may_swap_records(index: Index, ingest: Ingest, folder: Path) -> None:
    write(folder / "a.jsonl", one="one", two="two")
    write(folder / "b.jsonl", three="three", four="four")
    ingest(folder)
    write(folder / "a.jsonl", three="three", two="two")
    write(folder / "b.jsonl", one="one", four="four")
    assert ingest(folder).failures == ()
    assert sorted(index.catalog.document_ids(str(folder / "a.jsonl"))) == ["three", "two"]
    assert sorted(index.catalog.document_ids(str(folder / "b.jsonl"))) == ["four", "one"]


def test_an_id_that_two_files_have_belongs_to_one_until_that_gives_it_up(
    index: Index, ingest: Ingest, folder: Path
) -> None:
    write(folder / "a.jsonl", one="of a", two="two")
    write(folder / "b.jsonl", one="of b", three="three")
    for _ in range(2):
        [failure] = ingest(folder).failures
        assert failure.code == "duplicate_document"
        assert index.catalog.text("one") == "of a"
    write(folder / "a.jsonl", two="two")
    assert ingest(folder).failures == ()
    assert index.catalog.text("one") == "of b"
    assert index.catalog.sources.quarantined() == []


def test_a_record_outlives_the_file_that_shared_it(index: Index, ingest: Ingest, folder: Path) -> None:
    write(folder / "a.jsonl", one="the same")
    write(folder / "b.jsonl", one="the same", two="two")
    report = ingest(folder)
    assert (report.documents.added, report.documents.unchanged) == (2, 1)
    (folder / "a.jsonl").unlink()
    ingest(folder)
    assert sorted(index.catalog.document_ids(str(folder / "b.jsonl"))) == ["one", "two"]
