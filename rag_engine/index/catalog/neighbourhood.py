"""Which documents are nearly the same: their sketches, and what of them is still to be compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rag_engine.index.sketches import bands
from rag_engine.types.health import NearDuplicate

if TYPE_CHECKING:
    from rag_engine.index.sketches import Sketch

_BANDS_TOGETHER = 100_000  # in the table's order they go in several times as fast


class Neighbourhood:
    """Sketches, bands and leaders within one transaction; documents go by their numbers."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._bands: list[tuple[int, int]] = []
        # Bands lie all over their table: of a hundred thousand documents it has 50 MB, and SQLite keeps 2 by itself.
        connection.execute("pragma cache_size = -65536")

    def compare_all(self) -> None:
        """Has every document compared anew."""
        self._connection.execute("insert or ignore into uncompared select number from documents")

    def set_meta(self, key: str, value: str) -> None:
        """Stores a property of the index."""
        self._connection.execute("insert or replace into meta (key, value) values (?, ?)", (key, value))

    def uncompared(self) -> Iterator[tuple[int, str]]:
        """Documents that are to be compared, with their texts."""
        last = 0
        while rows := self._connection.execute(
            "select number, text from documents where number in "
            "(select document from uncompared where document > ? order by document limit 64) order by number",
            (last,),
        ).fetchall():
            last = rows[-1][0]
            yield from rows

    def put_sketch(self, document: int, sketch: Sketch) -> None:
        """Stores a document's sketch, by whose bands it is found; it follows none yet."""
        self._connection.execute(
            "insert or replace into sketches (document, sketch) values (?, ?)", (document, sketch.tobytes())
        )
        self._bands += [(band, document) for band in bands(sketch)]
        if len(self._bands) >= _BANDS_TOGETHER:
            self._put_bands()

    def _put_bands(self) -> None:
        self._connection.executemany(
            "insert or ignore into sketch_bands (band, document) values (?, ?)", sorted(self._bands)
        )
        self._bands.clear()

    def connected(self, documents: Iterable[int]) -> dict[int, Sketch]:
        """Sketches of those of the documents that share a band with another one, and of all that are reached from
        them so."""
        self._put_bands()
        found: dict[int, Sketch] = {}
        followed: set[int] = set()
        waiting = list(documents)
        while waiting:
            document = waiting.pop()
            if document in found:
                continue
            sketch = self._sketch(document)
            for band in bands(sketch):
                if band in followed:
                    found[document] = sketch
                    continue
                members = self._connection.execute(
                    "select document from sketch_bands where band = ?", (band,)
                ).fetchall()
                if len(members) > 1:
                    found[document] = sketch
                    followed.add(band)
                    waiting += [member for (member,) in members if member not in found]
        return found

    def _sketch(self, document: int) -> Sketch:
        row = self._connection.execute("select sketch from sketches where document = ?", (document,)).fetchone()
        return np.frombuffer(row[0], dtype=np.uint8)

    def places(self, documents: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Source and id of documents; the source is empty for one that came from memory."""
        statement = "select ifnull(source, ''), id from documents where number = ?"
        return {number: self._connection.execute(statement, (number,)).fetchone() for number in documents}

    def text(self, document: int) -> str:
        """A document's text."""
        return str(self._connection.execute("select text from documents where number = ?", (document,)).fetchone()[0])

    def set_leaders(self, documents: Iterable[int], leaders: Mapping[int, tuple[int, float]]) -> None:
        """Stores what the documents are nearly the same as, if anything; nothing is to be compared then."""
        self._connection.executemany(
            "update sketches set leader = ?, similarity = ? where document = ?",
            [(*leaders.get(document, (None, None)), document) for document in documents],
        )
        self._connection.execute("delete from uncompared")


class NearDuplicates:
    """What is known of near-duplicates; documents go by their numbers where no id is said."""

    def __init__(self, rows: Callable[..., list[Any]]) -> None:
        """``rows`` runs a statement with its parameters."""
        self._rows = rows

    def any_uncompared(self) -> bool:
        """Whether there are documents of which is not known yet what they are nearly the same as."""
        return bool(self._rows("select exists (select 1 from uncompared)")[0][0])

    def pairs(self) -> list[NearDuplicate]:
        """Every document that is nearly the same as another one, by id."""
        rows = self._rows(
            "select documents.id, first.id, sketches.similarity, "
            "not exists (select 1 from chunks where document = documents.number) from sketches "
            "join documents on documents.number = sketches.document "
            "join documents as first on first.number = sketches.leader order by documents.id"
        )
        return [NearDuplicate(document, of, round(similarity, 4), bool(out)) for document, of, similarity, out in rows]

    def unchunked(self) -> list[int]:
        """Numbers of the documents without chunks: no search finds them."""
        return [
            number
            for (number,) in self._rows(
                "select number from documents where not exists "
                "(select 1 from chunks where document = documents.number) order by number"
            )
        ]

    def followers(self) -> set[int]:
        """Numbers of the documents that are nearly the same as another one."""
        return {number for (number,) in self._rows("select document from sketches where leader is not null")}

    def linked(self, chunks: Sequence[int]) -> dict[int, tuple[str, tuple[str, ...]]]:
        """For chunks whose documents have near-duplicates: the document's id, and those of all of them."""
        marks = ",".join("?" * len(chunks))
        rows = self._rows(
            "select chunks.number, documents.id, ifnull(sketches.leader, sketches.document) from chunks "
            "join documents on documents.number = chunks.document "
            "join sketches on sketches.document = documents.number "
            f"where chunks.number in ({marks}) and (sketches.leader is not null "
            "or exists (select 1 from sketches as others where others.leader = sketches.document))",
            [int(number) for number in chunks],
        )
        members = {
            leader: tuple(
                identifier
                for (identifier,) in self._rows(
                    "select id from documents join sketches on sketches.document = documents.number "
                    "where sketches.leader = ?1 or sketches.document = ?1 order by id",
                    (leader,),
                )
            )
            for leader in {leader for _, _, leader in rows}
        }
        return {number: (identifier, members[leader]) for number, identifier, leader in rows}


def leave_neighbours(connection: sqlite3.Connection, document: int) -> None:
    """Forgets the sketch of a document, and has those compared anew that were found beside it."""
    row = connection.execute("delete from sketches where document = ? returning sketch", (document,)).fetchone()
    connection.execute("delete from uncompared where document = ?", (document,))
    if row is None:
        return
    for band in bands(np.frombuffer(row[0], dtype=np.uint8)):
        connection.execute("delete from sketch_bands where band = ? and document = ?", (band, document))
        connection.execute("insert or ignore into uncompared select document from sketch_bands where band = ?", (band,))
