"""Quarantine: what failed, why, when and how often; and what has it tried again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import ingest_job
from rag_engine.index import Index
from rag_engine.jobs.health import HealthJob
from rag_engine.types.health import EmbeddingPath, QuarantinedSource

Ingest = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    place.mkdir()
    (place / "good.txt").write_text("A good text.")
    return place


def attempts(index: Index) -> dict[str, int]:
    return {Path(entry.source).name: entry.attempts for entry in index.catalog.sources.quarantined()}


def test_status_and_doctor_tell_what_failed_why_when_and_how_often(
    ingest: Ingest, index: Index, folder: Path, hashing_embedder: HashingEmbedder
) -> None:
    for broken in ("{", "{{"):
        (folder / "bad.json").write_text(broken)
        ingest(folder)
    nothing = EmbeddingPath("none", "none", "none")
    health = HealthJob(index=index, make_embedder=lambda: hashing_embedder, embedding_path=lambda: nothing)
    (entry,) = health.status().quarantined
    assert (entry.source, entry.code, entry.attempts) == (str(folder / "bad.json"), "parsing", 2)
    assert "not JSON" in entry.error
    assert entry.first_failed <= entry.last_failed
    (finding,) = [finding for finding in health.examine() if "quarantine" in finding.what]
    assert str(folder / "bad.json") in finding.what
    assert entry.error in finding.why
    assert f"failed 2 times, first {entry.first_failed}, last {entry.last_failed}" in finding.why
    assert finding.mend == entry.hint


def test_a_first_failure_is_told_in_words() -> None:
    entry = QuarantinedSource("a", None, "", "parsing", "why", "mend", "2026-01-01", "2026-01-01", 1)
    assert entry.history == "failed once, 2026-01-01"


def test_a_record_that_fails_again_keeps_count_of_its_failures(ingest: Ingest, index: Index, folder: Path) -> None:
    rows = folder / "rows.jsonl"
    for attempt, text in enumerate(("one", "two", "three"), 1):
        rows.write_text(json.dumps({"_id": "a", "text": text}) + '\n{"_id"\n')
        ingest(folder)
        assert attempts(index) == {"rows.jsonl:2": attempt}
    rows.write_text(json.dumps({"_id": "a", "text": "three"}) + "\n")
    ingest(folder)
    assert attempts(index) == {}


def test_a_record_of_a_file_that_shares_an_id_counts_its_failure_once_an_ingest(
    ingest: Ingest, index: Index, folder: Path
) -> None:
    (folder / "a.jsonl").write_text(json.dumps({"_id": "same", "text": "one"}) + "\n")
    (folder / "b.jsonl").write_text(json.dumps({"_id": "same", "text": "two"}) + '\n{"_id"\n')
    for attempt in (1, 2):
        ingest(folder)
        assert list(attempts(index).values()) == [attempt, attempt]


def test_retrying_tries_files_and_single_records_again(
    index: Index, folder: Path, hashing_embedder: HashingEmbedder
) -> None:
    (folder / "bad.json").write_text("{")
    (folder / "rows.jsonl").write_text('{"_id": "a", "text": "one"}\n{"_id"\n')
    for retry, expected in ((False, 1), (False, 1), (True, 2), (False, 2)):
        report = ingest_job(index, hashing_embedder).ingest_paths([folder], retry=retry)
        assert report.documents.failed == 2
        assert attempts(index) == {"bad.json": expected, "rows.jsonl:2": expected}
