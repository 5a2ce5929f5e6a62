"""What can be saved of a damaged catalog: every document that still reads and has its digest."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rag_engine.index.catalog.catalog import Catalog
from rag_engine.index.files import sync_folder, writing
from rag_engine.types.document import Document


def readable_documents(path: Path) -> Iterator[tuple[Document, str | None]]:
    """The documents, with their sources, that a catalog still gives up whole, in the order they came.

    Each is looked up by itself, so that a damaged page costs only what lies on it; a text
    that does not have its digest any more is left out.
    """
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        # Without this SQLite refuses every page of a file that is shorter than its header says.
        connection.execute("pragma writable_schema = on")
        for number in range(1, _highest_number(connection) + 1):
            # Damage shows itself in many ways: as DatabaseError, as broken JSON, as an enum member that is none.
            with contextlib.suppress(sqlite3.Error, ValueError, TypeError, KeyError):
                row = connection.execute(
                    f"select {Catalog.DOCUMENT_COLUMNS}, text_digest from documents where number = ?", (number,)
                ).fetchone()
                if row is not None and hashlib.sha256(row[3].encode()).hexdigest() == row[-1]:
                    yield Catalog.document_of(row[:-1])


def _highest_number(connection: sqlite3.Connection) -> int:
    for query in (
        "select seq from sqlite_sequence where name = 'documents'",
        "select max(number) from documents",
    ):
        with contextlib.suppress(sqlite3.Error, TypeError):
            return int(connection.execute(query).fetchone()[0])
    return 0


def set_aside(path: Path) -> Path:
    """Renames a damaged catalog, so that a new one can take its place; nothing of it is deleted."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    aside = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}")
    with writing(path):
        for suffix in ("-wal", "-shm", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        sync_folder(path.parent)
    return aside
