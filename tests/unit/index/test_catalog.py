"""The catalog on a real database file: what it keeps, and how it refuses."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag_engine.errors import (
    CatalogDamagedError,
    IndexNotFoundError,
    NewerFormatError,
    RagEngineError,
)
from rag_engine.index import Catalog, PreparedDocument, SourceRecord, document_digest, embedding_key
from rag_engine.types.document import Block, BlockKind, Chunk, Document, Page, SourceFailure
from rag_engine.types.retrieval import ChunkPlace

DIMENSION = 4
Put = Callable[..., int]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with closing(Catalog.create(tmp_path / "catalog.sqlite")) as catalog:
        yield catalog


def prepared(document: Document, *texts: str, source: str | None = None) -> PreparedDocument:
    """A document cut into chunks that hold just these texts, each with a vector of its own."""
    chunks, vectors, start = [], {}, 0
    for ordinal, text in enumerate(texts):
        start = document.text.index(text, start)
        chunks.append(Chunk(ordinal, start, start + len(text), text, (), text, 1))
        vectors[embedding_key(text)] = np.full(DIMENSION, len(text), dtype=np.float32)
        start += len(text)
    return PreparedDocument(document, document_digest(document), source, chunks, vectors)


@pytest.fixture
def put(catalog: Catalog) -> Put:
    def put(identifier: str, *texts: str, source: str | None = None, title: str = "") -> int:
        with catalog.change() as change:
            change.put_document(prepared(Document(identifier, " ".join(texts), title=title), *texts, source=source))
            return change.commit

    return put


def vectors(catalog: Catalog) -> int:
    with closing(sqlite3.connect(catalog.path)) as connection:
        return int(connection.execute("select count(*) from vectors").fetchone()[0])


def test_a_new_catalog_is_empty_and_has_an_identity(catalog: Catalog) -> None:
    assert catalog.commit_number() == 0
    assert catalog.counts().documents == 0
    assert len(catalog.index_id) == 32


def test_two_catalogs_have_different_identities(catalog: Catalog, tmp_path: Path) -> None:
    with closing(Catalog.create(tmp_path / "other.sqlite")) as other:
        assert other.index_id != catalog.index_id


def test_a_document_comes_back_as_it_was_stored(catalog: Catalog) -> None:
    document = Document(
        "handbook",
        "Title\nbody ü 黑",
        title="Title",
        metadata={"year": 2024, "tags": ["a", None, True], "nested": {"x": 1.5}},
        blocks=(Block(BlockKind.HEADING, 0, 5, 1, "Title"), Block(BlockKind.PARAGRAPH, 6, 14)),
        pages=(Page(1, 0, 6), Page(2, 6, 14)),
    )
    with catalog.change() as change:
        change.put_document(prepared(document, "body", source="handbook.md"))
    assert list(catalog.documents()) == [(document, "handbook.md")]
    assert catalog.text("handbook") == document.text
    assert catalog.page("handbook", 7) == 2
    assert catalog.passages([1])[1].page == 2
    assert catalog.passages([1])[1].text == "body"


def test_commit_numbers_grow_by_one(put: Put, catalog: Catalog) -> None:
    assert [put("a", "one"), put("b", "two"), put("a", "three")] == [1, 2, 3]
    assert catalog.commit_number() == 3


def test_unchanged_chunks_keep_their_numbers(put: Put, catalog: Catalog) -> None:
    put("a", "one", "two", "three")
    put("a", "zero", "one", "three")
    places = {passage.text: number for number, passage in catalog.passages(catalog.chunk_numbers().tolist()).items()}
    assert places == {"one": 1, "three": 3, "zero": 4}
    assert catalog.removed_since(1).tolist() == [2]
    assert [entry.number for entries in catalog.added_since(1) for entry in entries] == [4]


def test_a_chunks_place_says_where_it_lies_and_what_follows(put: Put, catalog: Catalog) -> None:
    put("a", "one", "two", "three")
    put("b", "four")
    document = catalog.places([1])[1].document
    assert catalog.places([2, 3, 99]) == {
        2: ChunkPlace(2, document, 1, start=4, end=7, tokens=1, is_last=False),
        3: ChunkPlace(3, document, 2, start=8, end=13, tokens=1, is_last=True),
    }
    assert catalog.places([]) == {}
    assert catalog.places([4])[4].is_last
    assert catalog.places([4])[4].document != document


def test_the_places_around_a_chunk_are_those_of_its_document(put: Put, catalog: Catalog) -> None:
    put("a", *(f"word{number}" for number in range(9)))
    put("b", "another")
    middle = catalog.places([5])[5]
    assert [place.chunk for place in catalog.places_around(middle, 2)] == [3, 4, 5, 6, 7]
    assert [place.chunk for place in catalog.places_around(catalog.places([9])[9], 2)] == [7, 8, 9]


def test_a_passage_can_show_more_than_its_chunk(put: Put, catalog: Catalog) -> None:
    put("a", "one", "two", "three")
    shown = catalog.passages([1, 2], spans={2: (0, 13)})
    assert (shown[1].text, shown[1].start, shown[1].end) == ("one", 0, 3)
    assert (shown[2].text, shown[2].start, shown[2].end) == ("one two three", 0, 13)


def test_a_chunk_that_comes_twice_in_a_document_is_held_twice_with_one_vector(put: Put, catalog: Catalog) -> None:
    put("a", "same", "same")
    assert catalog.chunk_numbers().tolist() == [1, 2]
    assert vectors(catalog) == 1
    put("a", "same")
    assert catalog.chunk_numbers().tolist() == [1]
    assert vectors(catalog) == 1


def test_a_new_title_makes_new_chunks_with_the_old_vectors(put: Put, catalog: Catalog) -> None:
    put("a", "one", title="before")
    put("a", "one", title="after")
    assert catalog.chunk_numbers().tolist() == [2]
    assert [entry.title for entries in catalog.added_since(1) for entry in entries] == ["after"]
    assert vectors(catalog) == 1


def test_the_vector_of_a_deleted_chunk_goes_with_the_last_one_that_has_it(put: Put, catalog: Catalog) -> None:
    put("a", "shared", "alone")
    put("b", "shared")
    assert vectors(catalog) == 2
    with catalog.change() as change:
        change.delete_documents(["a", "unknown"])
        assert change.counts.deleted == 1
    assert vectors(catalog) == 1
    assert catalog.known_vectors([embedding_key("shared"), embedding_key("alone")]) == {embedding_key("shared")}
    with catalog.change() as change:
        change.delete_documents(["b"])
    assert vectors(catalog) == 0


def test_a_number_is_never_given_twice(put: Put, catalog: Catalog) -> None:
    put("a", "one")
    with catalog.change() as change:
        change.delete_documents(["a"])
    put("a", "one")
    assert catalog.chunk_numbers().tolist() == [2]


def test_a_transaction_that_fails_leaves_nothing(put: Put, catalog: Catalog) -> None:
    put("a", "one")
    with pytest.raises(ZeroDivisionError), catalog.change() as change:  # noqa: PT012
        change.put_document(prepared(Document("b", "two"), "two"))
        change.delete_documents(["a"])
        raise ZeroDivisionError
    assert catalog.document_ids() == ["a"]
    assert catalog.commit_number() == 1
    assert put("b", "two") == 2


def test_a_reader_keeps_its_commit_while_another_connection_commits(catalog: Catalog, put: Put) -> None:
    put("a", "one")
    with closing(Catalog(catalog.path)) as reader:
        with reader.reading() as commit:
            put("b", "two")
            assert reader.commit_number() == commit == 1
            assert reader.document_ids() == ["a"]
        assert reader.commit_number() == 2


def test_a_source_takes_its_documents_with_it(put: Put, catalog: Catalog) -> None:
    put("rows#1", "one", source="/x/rows.csv")
    put("rows#2", "two", source="/x/rows.csv")
    put("other", "three")
    with catalog.change() as change:
        change.delete_source("/x/rows.csv")
    assert catalog.document_ids() == ["other"]


def test_a_renamed_source_keeps_its_chunks_and_its_ids_follow_the_name(put: Put, catalog: Catalog) -> None:
    put("rows.csv#1", "one", source="/x/rows.csv")
    put("own id", "two", source="/x/rows.csv")
    source = SourceRecord("/x/rows.csv", "rows.csv", "0" * 64, 10, "delimited", 1, True)
    with catalog.change() as change:
        change.record_source(source)
    with catalog.change() as change:
        change.move_source(source, path="/x/lines.csv", name="lines.csv")
    assert catalog.document_ids("/x/lines.csv") == ["lines.csv#1", "own id"]
    assert catalog.chunk_numbers().tolist() == [1, 2]
    assert catalog.sources.at("/x/rows.csv") is None
    assert catalog.sources.all() == [SourceRecord("/x/lines.csv", "lines.csv", "0" * 64, 10, "delimited", 1, True)]


def test_quarantine_counts_attempts_until_the_source_is_read(catalog: Catalog) -> None:
    failure = SourceFailure("/x/bad.pdf", "parsing", "no PDF", "mend it")
    for _ in range(2):
        with catalog.change() as change:
            change.quarantine(failure, sha256="ab", loader_versions="{}")
    (held,) = catalog.sources.quarantined()
    assert (held.attempts, held.error, held.sha256) == (2, "no PDF", "ab")
    with catalog.change() as change:
        change.record_source(SourceRecord("/x/bad.pdf", "bad.pdf", "cd", 1, "pdf", 1, True))
    assert catalog.sources.quarantined() == []


def test_a_text_that_was_altered_past_the_engine_is_found(put: Put, catalog: Catalog) -> None:
    put("a", "one")
    put("b", "two")
    with closing(sqlite3.connect(catalog.path)) as connection, connection:
        connection.execute("update documents set text = 'onE' where id = 'a'")
        connection.execute("update chunks set end = 99 where number = 2")
    assert [identifier for identifier, _ in catalog.broken_documents()] == ["a", "b"]


def test_no_catalog_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError, match="no index at"):
        Catalog(tmp_path / "catalog.sqlite")


def test_a_later_version_of_the_catalog_is_refused(catalog: Catalog) -> None:
    with closing(sqlite3.connect(catalog.path)) as connection, connection:
        connection.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) "
            "values ('rag_engine.catalog', 'm999_future', '2099-01-01')"
        )
    with pytest.raises(NewerFormatError, match="m999_future"):
        Catalog(catalog.path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"garbage " * 4096,
        lambda data: data[: len(data) // 2],
        lambda data: data[:50],
        lambda data: bytes(len(data)),
        lambda data: data[:16] + os.urandom(2000) + data[2016:],
    ],
    ids=["empty", "garbage", "half", "fifty bytes", "zeros", "header overwritten"],
)
def test_a_damaged_catalog_is_said_to_be_damaged(catalog: Catalog, put: Put, damage: Callable[[bytes], bytes]) -> None:
    for number in range(20):
        put(f"document {number}", f"text number {number} " * 40)
    catalog.close()
    catalog.path.write_bytes(damage(catalog.path.read_bytes()))
    with pytest.raises(CatalogDamagedError) as raised, closing(Catalog(catalog.path)) as damaged:  # noqa: PT012
        damaged.index_id  # noqa: B018 - a property that reads
        if damaged.integrity_findings():
            raise CatalogDamagedError("found by the check")
        list(damaged.documents())
    assert "rag doctor" in raised.value.hint


def test_text_that_is_no_utf8_is_said_to_be_damage(catalog: Catalog, put: Put) -> None:
    put("a", "one")
    with closing(sqlite3.connect(catalog.path)) as connection, connection:
        connection.execute("update documents set text = cast(x'ff80c3' as text)")
    with pytest.raises(CatalogDamagedError):
        list(catalog.documents())


def test_every_error_of_the_database_is_one_of_ours(catalog: Catalog) -> None:
    with closing(sqlite3.connect(catalog.path)) as connection, connection:
        connection.execute("drop table chunks")
    with pytest.raises(RagEngineError):
        catalog.chunk_numbers()
