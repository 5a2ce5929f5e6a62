"""The catalog: the only truth of an index. Everything else in the folder can be made again from it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag_engine.errors import CatalogDamagedError
from rag_engine.index.catalog import connection as database
from rag_engine.index.catalog.change import Change
from rag_engine.index.catalog.facts import Facts
from rag_engine.index.catalog.filters import condition
from rag_engine.index.catalog.ledger import TruncationLedger
from rag_engine.index.catalog.neighbourhood import NearDuplicates, Neighbourhood
from rag_engine.index.catalog.records import CatalogCounts, SourceRecord, StoredDocument
from rag_engine.index.catalog.source_records import SourceRecords
from rag_engine.types.document import Block, BlockKind, Document, Page, Truncation
from rag_engine.types.retrieval import STRETCH_CHUNKS, ChunkPlace, Filter, Passage
from rag_engine.types.suspicion import SuspiciousDocument, suspicions_in

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers, Vectors

# SQLite's limit on parameters of a statement is far above; rows are read in portions to keep memory flat.
PORTION = 5_000
_PLACE = (
    "number, document, ordinal, start, end, tokens, "
    "not exists (select 1 from chunks as next where next.document = chunks.document and next.ordinal > chunks.ordinal)"
)
# Of [chunk, start, end]: start and end are null where the chunk's own characters are wanted. One substr for each, for
# it reads the text from its beginning.
_PASSAGES = """
    with wanted as (
        select number, document, heading_path,
            ifnull(json_extract(value, '$[1]'), start) as first, ifnull(json_extract(value, '$[2]'), end) as last
        from json_each(?) join chunks on chunks.number = json_extract(value, '$[0]')
    )
    select wanted.number, documents.id, documents.title, first, last, substr(documents.text, first + 1, last - first),
        heading_path, documents.pages, documents.metadata, documents.source,
        (select json_group_array(path) from sources where same_as = documents.source)
    from wanted join documents on documents.number = wanted.document
"""
# Word for word the condition of the index that m004 made.
_IS_SUSPICIOUS = """instr(metadata, '"suspicious": [{"kind": "') > 0"""


@dataclass(frozen=True, slots=True)
class ChunkEntry:
    """A chunk as the caches need it: its number, the words around it, its text and its vector."""

    number: int
    title: str
    heading_path: tuple[str, ...]
    text: str
    vector: Vectors


@dataclass(frozen=True, slots=True)
class StretchEntry:
    """Chunks of a document that follow each other, as the lexical index reads them: as one text."""

    document: int
    number: int
    chunks: tuple[int, ...]
    title: str
    heading_paths: tuple[tuple[str, ...], ...]
    text: str


class Catalog:
    """Documents, chunks, vectors and commits in one SQLite database.

    One process writes at a time (see ``writer_lock``), any number read; a reader sees each commit
    whole. Methods may be called from several threads of a process, one at a time.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Opens an existing catalog.

        Raises:
            IndexNotFoundError, CatalogDamagedError, NewerFormatError, IndexReadOnlyError: see these.
        """
        self.path = path
        self._read_only = read_only
        self._lock = threading.RLock()
        self._connection = database.connect(path, read_only=read_only)
        self.sources = SourceRecords(self._rows)
        self.near_duplicates = NearDuplicates(self._rows)
        self.facts = Facts(self._rows)

    @classmethod
    def create(cls, path: Path) -> Catalog:
        """A new, empty catalog; the one at ``path`` where there is one already."""
        if not path.exists():
            database.create(path)
        return cls(path)

    def close(self) -> None:
        """Closes the database; the last one to close folds the write-ahead log into the file."""
        with self._lock, database.translated_errors(self.path):
            self._connection.close()

    @contextlib.contextmanager
    def change(self) -> Iterator[Change]:
        """A transaction: everything done to the Change becomes visible at the end of the block, or nothing."""
        with self._transaction() as connection:
            change = Change(connection)
            yield change
            change.drop_unused_vectors()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is done on the connection within the block, or nothing. By itself it is none of the commits, which
        is right where no cache reflects what it changes."""
        with self._lock, database.translated_errors(self.path):
            self._connection.execute("begin immediate")
            try:
                yield self._connection
                self._connection.execute("commit")
            except BaseException:
                # A full disk may have rolled back already.
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[int]:
        """A view of one commit, whose number it yields: every read within the block sees that commit."""
        with self._lock, database.translated_errors(self.path):
            outermost = not self._connection.in_transaction
            if outermost:
                self._connection.execute("begin")
            try:
                yield self.commit_number()
            finally:
                if outermost and self._connection.in_transaction:
                    self._connection.execute("commit")

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        with self._lock, database.translated_errors(self.path):
            return self._connection.execute(sql, parameters).fetchall()

    def commit_number(self) -> int:
        """The number of the latest commit; 0 before the first."""
        return int(self._rows("select ifnull(max(number), 0) from commits")[0][0])

    def latest_commit(self) -> int:
        """The number of the latest commit, also where a view of an earlier one is being read."""
        with contextlib.closing(Catalog(self.path, read_only=self._read_only)) as unbound:
            return unbound.commit_number()

    def meta(self, key: str) -> str | None:
        """A property of the index."""
        rows = self._rows("select value from meta where key = ?", (key,))
        return rows[0][0] if rows else None

    @property
    def index_id(self) -> str:
        """A random name given at the index's birth, by which its caches know it."""
        value = self.meta(database.INDEX_ID)
        if value is None:
            raise CatalogDamagedError(f"the catalog {self.path} has lost its identity")
        return value

    def canaries(self) -> list[tuple[str, Vectors]]:
        """The texts by which another embedder is recognised, with their vectors."""
        rows = self._rows("select text, vector from canaries order by rowid")
        return [(text, np.frombuffer(vector, dtype="<f4")) for text, vector in rows]

    def counts(self) -> CatalogCounts:
        """How much there is."""
        with self.reading() as commit:
            numbers = [
                self._rows(f"select count(*) from {table}")[0][0]
                for table in ("documents", "chunks", "sources", "quarantine")
            ]
        return CatalogCounts(commit, *numbers)

    def refresh_sources(self, sources: Iterable[SourceRecord]) -> None:
        """Notes how the folders of files know them now whose bytes are what they were: no commit, nothing else."""
        with self._transaction() as connection:
            connection.executemany(
                "update sources set size = ?, modified = ?, changed = ?, inode = ? where path = ?",
                [(source.size, *source.status_columns, source.path) for source in sources],
            )

    @contextlib.contextmanager
    def neighbourhood(self) -> Iterator[Neighbourhood]:
        """A transaction over which documents are nearly the same: no commit, since no chunk changes."""
        with self._transaction() as connection:
            yield Neighbourhood(connection)

    def stored(self, identifier: str) -> StoredDocument | None:
        """A document of this id, without its text."""
        rows = self._rows("select number, id, source, digest from documents where id = ?", (identifier,))
        return StoredDocument(*rows[0]) if rows else None

    def document_ids(self, source: str | None = None) -> list[str]:
        """Ids of all documents, or of those of one source, in the order they came."""
        clause, parameters = ("", ()) if source is None else ("where source = ?", (source,))
        return [row[0] for row in self._rows(f"select id from documents {clause} order by number", parameters)]

    def text(self, identifier: str) -> str | None:
        """A document's canonical text."""
        rows = self._rows("select text from documents where id = ?", (identifier,))
        return rows[0][0] if rows else None

    def page(self, identifier: str, position: int) -> int | None:
        """The page of a document's character, None where the document has no pages."""
        rows = self._rows("select pages from documents where id = ?", (identifier,))
        return _page_at(rows[0][0], position) if rows else None

    DOCUMENT_COLUMNS = "id, source, title, text, metadata, blocks, pages"

    @staticmethod
    def document_of(row: Sequence[Any]) -> tuple[Document, str | None]:
        """A document and its source from a row of DOCUMENT_COLUMNS; its truncations lie elsewhere."""
        identifier, source, title, text, metadata, blocks, pages = row
        document = Document(
            id=identifier,
            text=text,
            title=title,
            metadata=json.loads(metadata),
            blocks=tuple(Block(BlockKind(kind), *rest) for kind, *rest in json.loads(blocks)),
            pages=tuple(Page(*page) for page in json.loads(pages)),
        )
        return document, source

    def documents(self) -> Iterator[tuple[Document, str | None]]:
        """Every document with its source, in the order they came."""
        last = 0
        while rows := self._rows(
            f"select number, {self.DOCUMENT_COLUMNS} from documents where number > ? order by number limit 64", (last,)
        ):
            cuts: dict[int, list[Truncation]] = defaultdict(list)
            for number, *fields in self._rows(
                "select document, what, kept, total, stage from truncations where document between ? and ? "
                "order by rowid",
                (rows[0][0], rows[-1][0]),
            ):
                cuts[number].append(Truncation(*fields))
            last = rows[-1][0]
            for row in rows:
                document, source = self.document_of(row[1:])
                yield replace(document, truncations=tuple(cuts[row[0]])), source

    def documents_of(self, numbers: Iterable[int]) -> Iterator[Document]:
        """The documents of these numbers, in this order."""
        for number in numbers:
            for row in self._rows(f"select {self.DOCUMENT_COLUMNS} from documents where number = ?", (number,)):
                yield self.document_of(row)[0]

    def broken_documents(self) -> Iterator[tuple[str, str]]:
        """Ids of documents that are not as they were stored, with what is wrong. Reads everything."""
        last = 0
        while rows := self._rows(
            "select number, id, text, text_digest, (select count(*) from chunks where document = documents.number "
            "and (start < 0 or end > length(text) or start >= end)) from documents where number > ? "
            "order by number limit 64",
            (last,),
        ):
            last = rows[-1][0]
            for _, identifier, text, digest, stray in rows:
                if hashlib.sha256(text.encode()).hexdigest() != digest:
                    yield identifier, "its text does not have its digest"
                elif stray:
                    yield identifier, f"{stray} of its chunks lie outside its text"

    def truncations(self, *, window: int) -> TruncationLedger:
        """What was left out of the documents where a model of ``window`` tokens reads their chunks."""
        return TruncationLedger(self._rows, window=window)

    def count_suspicious(self) -> int:
        """How many documents hold something suspicious."""
        return int(self._rows(f"select count(*) from documents where {_IS_SUSPICIOUS}")[0][0])

    def suspicious(self, *, most: int) -> list[SuspiciousDocument]:
        """The documents that hold something suspicious, by id, at most so many."""
        sql = f"select id, metadata from documents where {_IS_SUSPICIOUS} order by id limit ?"
        return [
            SuspiciousDocument(identifier, suspicions_in(json.loads(metadata)))
            for identifier, metadata in self._rows(sql, (most,))
        ]

    def known_vectors(self, keys: Sequence[bytes]) -> set[bytes]:
        """Which of these embedding keys have a vector."""
        known: set[bytes] = set()
        for start in range(0, len(keys), PORTION):
            portion = keys[start : start + PORTION]
            marks = ",".join("?" * len(portion))
            known.update(key for (key,) in self._rows(f"select key from vectors where key in ({marks})", portion))
        return known

    def chunk_numbers(self) -> Numbers:
        """Numbers of all chunks, ascending."""
        return _numbers(self._rows("select number from chunks order by number"))

    def removed_since(self, commit: int) -> Numbers:
        """Numbers of the chunks that commits after ``commit`` removed, ascending."""
        return _numbers(
            self._rows("select number from removed_chunks where removed_commit > ? order by number", (commit,))
        )

    def added_since(self, commit: int) -> Iterator[list[ChunkEntry]]:
        """The chunks that commits after ``commit`` added and that are still there, in portions, by number."""
        last = 0
        while rows := self._rows(
            "select chunks.number, documents.title, chunks.heading_path, "
            "substr(documents.text, chunks.start + 1, chunks.end - chunks.start), vectors.vector from chunks "
            "join documents on documents.number = chunks.document join vectors on vectors.number = chunks.vector "
            "where chunks.added_commit > ? and chunks.number > ? order by chunks.number limit ?",
            (commit, last, PORTION),
        ):
            yield [
                ChunkEntry(number, title, tuple(json.loads(path)), text, np.frombuffer(vector, dtype="<f4"))
                for number, title, path, text, vector in rows
            ]
            last = rows[-1][0]

    def stretches_since(self, commit: int) -> Iterator[StretchEntry]:
        """The stretches of all documents that commits after ``commit`` added, changed or chunked anew, by document."""
        last = 0
        while rows := self._rows(
            "select number, title, text from documents where number > ? and (added_commit > ? or exists (select 1 from "
            "chunks where document = documents.number and chunks.added_commit > ?)) order by number limit 1",
            (last, commit, commit),
        ):
            ((last, title, text),) = rows
            chunks = self._rows(
                "select number, start, end, heading_path from chunks where document = ? order by ordinal", (last,)
            )
            for stretch, first in enumerate(range(0, len(chunks), STRETCH_CHUNKS)):
                members = chunks[first : first + STRETCH_CHUNKS]
                paths = dict.fromkeys(path for *_, path in members)
                yield StretchEntry(
                    document=last,
                    number=stretch,
                    chunks=tuple(chunk for chunk, *_ in members),
                    title=title,
                    heading_paths=tuple(tuple(json.loads(path)) for path in paths),
                    text=text[members[0][1] : members[-1][2]],
                )

    def matching(self, expression: Filter) -> Numbers:
        """Numbers of the chunks whose document satisfies the filter, ascending."""
        sql, parameters = condition(expression)
        return _numbers(
            self._rows(
                "select chunks.number from chunks where document in "
                f"(select number from documents where {sql}) order by chunks.number",
                parameters,
            )
        )

    def places(self, chunks: Sequence[int]) -> dict[int, ChunkPlace]:
        """Where chunks lie. Unknown numbers are absent."""
        # One statement for any number of chunks: SQLite compiles it once.
        numbers = json.dumps([int(number) for number in chunks])
        rows = self._rows(
            f"select {_PLACE} from json_each(?) join chunks on chunks.number = json_each.value", (numbers,)
        )
        return {row[0]: _place(row) for row in rows}

    def places_around(self, place: ChunkPlace, reach: int) -> list[ChunkPlace]:
        """A chunk's place and those of up to ``reach`` chunks on each side of it, in order."""
        rows = self._rows(
            f"select {_PLACE} from chunks where document = ? and ordinal between ? and ? order by ordinal",
            (place.document, place.ordinal - reach, place.ordinal + reach),
        )
        return [_place(row) for row in rows]

    def passages(
        self, chunks: Sequence[int], *, spans: Mapping[int, tuple[int, int]] | None = None
    ) -> dict[int, Passage]:
        """The stored chunks of these numbers; rank and scores are left at zero. Unknown numbers are absent. ``spans``
        are the characters to be shown of a chunk's document where these are not its own."""
        shown = spans or {}
        wanted = json.dumps([[int(number), *shown.get(number, (None, None))] for number in chunks])
        rows = self._rows(_PASSAGES, (wanted,))
        return {
            number: Passage(
                rank=0,
                score=0.0,
                document_id=identifier,
                title=title,
                chunk=number,
                start=start,
                end=end,
                text=text,
                heading_path=tuple(json.loads(path)),
                page=_page_at(pages, start),
                metadata=json.loads(metadata),
                sources=() if others == "[]" else (first, *sorted(json.loads(others))),
            )
            for number, identifier, title, start, end, text, path, pages, metadata, first, others in rows
        }

    def integrity_findings(self) -> list[str]:
        """What SQLite's own check finds wrong, empty when it is sound."""
        rows = self._rows("pragma integrity_check(20)")
        return [] if rows == [("ok",)] else [str(row[0]) for row in rows]


def _place(row: Sequence[int]) -> ChunkPlace:
    chunk, document, ordinal, start, end, tokens, is_last = row
    return ChunkPlace(chunk, document, ordinal, start, end, tokens, is_last == 1)


def _page_at(pages: str, position: int) -> int | None:
    if pages == "[]":  # of most documents
        return None
    return next((number for number, start, end in json.loads(pages) if start <= position < end), None)


def _numbers(rows: Iterable[tuple[int]]) -> Numbers:
    return np.fromiter((row[0] for row in rows), dtype=np.int64)
