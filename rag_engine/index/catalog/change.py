"""One transaction of the catalog: documents, chunks, vectors and the commit number, all or nothing."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from rag_engine.index.catalog.neighbourhood import leave_neighbours
from rag_engine.index.catalog.records import ChangeCounts, PreparedDocument, SourceRecord, embedding_key
from rag_engine.types.document import SourceFailure


class Change:
    """What may be done within a transaction. ``commit`` is the number it will have."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.commit = int(
            connection.execute("insert into commits (created) values (?) returning number", (_now(),)).fetchone()[0]
        )
        self.counts = ChangeCounts()
        self._left_vectors: set[int] = set()

    def put_document(self, prepared: PreparedDocument) -> None:
        """Stores a document, new or in place of the one with its id.

        Chunks whose embedded text, title and headings are unchanged keep their numbers; whose embedded text is
        unchanged, their vectors.
        """
        document, connection = prepared.document, self._connection
        columns = (
            prepared.source,
            document.title,
            document.text,
            json.dumps(dict(document.metadata), ensure_ascii=False),
            json.dumps([[block.kind, block.start, block.end, block.level, block.title] for block in document.blocks]),
            json.dumps([[page.number, page.start, page.end] for page in document.pages]),
            prepared.digest,
            hashlib.sha256(document.text.encode()).hexdigest(),
            self.commit,
            document.id,
        )
        stored = connection.execute("select number, title from documents where id = ?", (document.id,)).fetchone()
        if stored is None:
            number = connection.execute(
                "insert into documents (source, title, text, metadata, blocks, pages, digest, text_digest, "
                "added_commit, id) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning number",
                columns,
            ).fetchone()[0]
            self.counts.added += 1
        else:
            number = stored[0]
            connection.execute(
                "update documents set source = ?, title = ?, text = ?, metadata = ?, blocks = ?, pages = ?, "
                "digest = ?, text_digest = ?, added_commit = ? where id = ?",
                columns,
            )
            self.counts.updated += 1
        if stored is not None:
            connection.execute("delete from truncations where document = ?", (number,))
            leave_neighbours(connection, number)
        connection.execute("insert or ignore into uncompared values (?)", (number,))
        connection.executemany(
            "insert into truncations (document, stage, what, kept, total) values (?, ?, ?, ?, ?)",
            [(number, cut.stage, cut.what, cut.kept, cut.of) for cut in document.truncations],
        )
        # Under another title a chunk is another one to the lexical index: it gets a new number.
        self._put_chunks(number, prepared, keep=stored is not None and stored[1] == document.title)

    def replace_chunks(self, prepared: PreparedDocument) -> None:
        """Gives a stored document other chunks; the document itself stays as it is."""
        number = self._connection.execute(
            "select number from documents where id = ?", (prepared.document.id,)
        ).fetchone()[0]
        self._put_chunks(number, prepared, keep=True)

    def drop_chunks(self, documents: Iterable[int]) -> None:
        """Removes the chunks of documents, given by their numbers; the documents stay."""
        for document in documents:
            rows = self._connection.execute("select number from chunks where document = ?", (document,)).fetchall()
            self._remove_chunks(number for (number,) in rows)

    def remove_all_chunks(self) -> None:
        """Removes every chunk and vector; the documents stay."""
        self._remove_chunks(number for (number,) in self._connection.execute("select number from chunks").fetchall())
        # At once, and all: those that follow may come from another model.
        self._connection.execute("delete from vectors")
        self._left_vectors.clear()

    def _put_chunks(self, document: int, prepared: PreparedDocument, *, keep: bool) -> None:
        connection = self._connection
        held: dict[tuple[bytes, str], list[int]] = defaultdict(list)
        for number, key, path in connection.execute(
            "select chunks.number, vectors.key, heading_path from chunks "
            "join vectors on vectors.number = chunks.vector where document = ? order by ordinal desc",
            (document,),
        ):
            held[key, path].append(number)
        for chunk in prepared.chunks:
            key, path = embedding_key(chunk.embedded_text), json.dumps(chunk.heading_path)
            place = (chunk.ordinal, chunk.start, chunk.end, path, chunk.tokens)
            if keep and held[key, path]:
                connection.execute(
                    "update chunks set ordinal = ?, start = ?, end = ?, heading_path = ?, tokens = ? where number = ?",
                    (*place, held[key, path].pop()),
                )
                self.counts.chunks_reused += 1
                continue
            vector = connection.execute("select number from vectors where key = ?", (key,)).fetchone()
            if vector is None:
                vector = connection.execute(
                    "insert into vectors (key, vector) values (?, ?) returning number",
                    (key, prepared.vectors[key].astype("<f4").tobytes()),
                ).fetchone()
                self.counts.chunks_added += 1
            else:
                self.counts.chunks_reused += 1
            connection.execute(
                "insert into chunks (ordinal, start, end, heading_path, tokens, document, vector, added_commit) "
                "values (?, ?, ?, ?, ?, ?, ?, ?)",
                (*place, document, vector[0], self.commit),
            )
        self._remove_chunks(number for numbers in held.values() for number in numbers)

    def distrust(self, identifier: str) -> None:
        """Has a document that is not as it was stored replaced by the next ingest of its file."""
        self._connection.execute("update documents set digest = '' where id = ?", (identifier,))
        self._connection.execute(
            "update sources set complete = 0 where path = (select source from documents where id = ?)", (identifier,)
        )

    def delete_documents(self, ids: Iterable[str]) -> None:
        """Removes documents with their chunks; unknown ids are passed over."""
        for identifier in ids:
            row = self._connection.execute("select number from documents where id = ?", (identifier,)).fetchone()
            if row is None:
                continue
            self._remove_chunks(
                number for (number,) in self._connection.execute("select number from chunks where document = ?", row)
            )
            self._connection.execute("delete from truncations where document = ?", row)
            leave_neighbours(self._connection, row[0])
            self._connection.execute("delete from documents where number = ?", row)
            self.counts.deleted += 1

    def _remove_chunks(self, numbers: Iterable[int]) -> None:
        for number in list(numbers):
            vector = self._connection.execute(
                "delete from chunks where number = ? returning vector", (number,)
            ).fetchone()
            self._connection.execute("insert into removed_chunks values (?, ?)", (number, self.commit))
            self._left_vectors.add(vector[0])
            self.counts.chunks_deleted += 1

    def drop_unused_vectors(self) -> None:
        """Removes the vectors that chunks have left and no chunk has taken up again: the last step of a change.

        Not sooner, since a text that goes from one document may come to another within the same change.
        """
        self._connection.executemany(
            "delete from vectors where number = ?1 and not exists (select 1 from chunks where vector = ?1)",
            [(number,) for number in self._left_vectors],
        )
        self._left_vectors.clear()

    def record_source(self, source: SourceRecord, *, failing: Collection[str] = ()) -> None:
        """Notes what a file held when it was read, and takes it out of quarantine, but for its records that are
        ``failing`` still: these keep count of how often they did."""
        self._connection.execute(
            "insert or replace into sources (path, name, sha256, size, loader, loader_version, complete, same_as, "
            "modified, changed, inode) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                source.path,
                source.name,
                source.sha256,
                source.size,
                source.loader,
                source.loader_version,
                int(source.complete),
                source.same_as,
                *source.status_columns,
            ),
        )
        self.release(source.path, failing=failing)

    def record_copy(self, source: SourceRecord) -> None:
        """Notes that a file is ``same_as`` another one, and removes the documents that it had itself."""
        self._delete_documents_of(source.path)
        self.record_source(source)

    def _delete_documents_of(self, path: str) -> None:
        rows = self._connection.execute("select id from documents where source = ?", (path,)).fetchall()
        self.delete_documents([identifier for (identifier,) in rows])

    def delete_source(self, path: str) -> None:
        """Removes a source with all its documents."""
        self._delete_documents_of(path)
        self._connection.execute("delete from sources where path = ?", (path,))
        self.release(path)

    def move_source(self, source: SourceRecord, *, path: str, name: str) -> None:
        """A file was renamed, or an equal one comes before it: its documents keep their chunks; ids made of the
        file's name follow it, and so do its records in quarantine. A copy at the new place is replaced."""
        connection, length = self._connection, len(source.name) + 1
        connection.execute("delete from sources where path = ?", (path,))
        connection.execute("update sources set path = ?, name = ? where path = ?", (path, name, source.path))
        connection.execute(
            "update documents set source = ?1, added_commit = ?2, id = case when id = ?3 or substr(id, 1, ?4) "
            "in (?3 || '#', ?3 || '/') then ?5 || substr(id, ?4) else id end where source = ?6",
            (path, self.commit, source.name, length, name, source.path),
        )
        # Which of several is the first may have changed.
        for (number,) in connection.execute("select number from documents where source = ?", (path,)).fetchall():
            leave_neighbours(connection, number)
            connection.execute("insert or ignore into uncompared values (?)", (number,))
        self.release(path)
        connection.execute("delete from quarantine where source = ?", (source.path,))
        connection.execute(
            "update quarantine set source = ?1 || substr(source, ?2) "
            "where substr(source, 1, ?2) in (?3 || ':', ?3 || '/')",
            (path, len(source.path) + 1, source.path),
        )

    def quarantine(self, failure: SourceFailure, *, sha256: str | None, loader_versions: str) -> None:
        """Notes that a source failed, or failed again."""
        now = _now()
        self._connection.execute(
            "insert into quarantine (source, sha256, loader_versions, code, error, hint, first_failed, last_failed, "
            "attempts) values (?, ?, ?, ?, ?, ?, ?, ?, 1) on conflict (source) do update set sha256 = excluded.sha256, "
            "loader_versions = excluded.loader_versions, code = excluded.code, error = excluded.error, "
            "hint = excluded.hint, last_failed = excluded.last_failed, attempts = attempts + 1",
            (failure.source, sha256, loader_versions, failure.code, failure.error, failure.hint, now, now),
        )

    def release(self, path: str, *, failing: Collection[str] = ()) -> None:
        """Takes a source, and single records and members of it, out of quarantine, but for those that fail still."""
        found = self._connection.execute(
            "select source from quarantine where source = ?1 or substr(source, 1, ?2) in (?1 || ':', ?1 || '/')",
            (path, len(path) + 1),
        ).fetchall()
        self._connection.executemany(
            "delete from quarantine where source = ?", [row for row in found if row[0] not in failing]
        )

    def take_counts(self) -> ChangeCounts:
        """What was done since the last call."""
        counts, self.counts = self.counts, ChangeCounts()
        return counts

    def set_meta(self, key: str, value: str) -> None:
        """Stores a property of the index."""
        self._connection.execute("insert or replace into meta (key, value) values (?, ?)", (key, value))

    def set_canaries(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Stores the texts, with their vectors, by which another embedder is recognised."""
        self._connection.execute("delete from canaries")
        self._connection.executemany("insert into canaries (text, vector) values (?, ?)", rows)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
