"""What is saved of a damaged catalog."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from rag_engine.index import CATALOG_NAME, Index, readable_documents, set_aside
from rag_engine.types.document import Document
from rag_engine.types.ingestion import IngestReport

Ingest = Callable[..., IngestReport]


def test_every_whole_document_is_read_and_an_altered_one_left_out(
    index: Index, ingest: Ingest, index_folder: Path
) -> None:
    documents = [Document(f"d{number}", f"text {number}", title="T", metadata={"n": number}) for number in range(5)]
    ingest(*documents)
    index.close()
    with closing(sqlite3.connect(index_folder / CATALOG_NAME)) as connection, connection:
        connection.execute("update documents set text = 'other' where id = 'd1'")
        connection.execute("update documents set metadata = '{' where id = 'd3'")
    saved = [document for document, source in readable_documents(index_folder / CATALOG_NAME) if source is None]
    assert saved == [documents[0], documents[2], documents[4]]


def test_documents_are_found_although_the_counters_are_gone(index: Index, ingest: Ingest, index_folder: Path) -> None:
    ingest(Document("a", "text"))
    index.close()
    with closing(sqlite3.connect(index_folder / CATALOG_NAME)) as connection, connection:
        connection.execute("delete from sqlite_sequence")
    assert [document.id for document, _ in readable_documents(index_folder / CATALOG_NAME)] == ["a"]


def test_nothing_is_read_of_what_is_no_catalog(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(b"garbage" * 2000)
    assert list(readable_documents(tmp_path / "catalog.sqlite")) == []


def test_a_catalog_set_aside_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    for suffix in ("", "-wal"):
        path.with_name(path.name + suffix).write_text(f"content{suffix}")
    aside = set_aside(path)
    assert not path.exists()
    assert sorted(file.read_text() for file in tmp_path.iterdir()) == ["content", "content-wal"]
    assert aside.read_text() == "content"
