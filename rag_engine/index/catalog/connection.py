"""Opening the catalog's database, and the one edge where SQLite's errors become ours."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

from rag_engine.errors import (
    CatalogDamagedError,
    IndexLockedError,
    IndexNotFoundError,
    IndexReadOnlyError,
    StorageError,
    StorageFullError,
)
from rag_engine.index.files import sync_folder, writing

FILE_NAME = "catalog.sqlite"
BUSY_SECONDS = 30.0
# The property that holds a random name given at the index's birth.
INDEX_ID = "index_id"
# The migrations of this version, in their order: where a catalog has just these, what applies them is not imported.
SCHEMA = (
    "m001_documents",
    "m002_file_status",
    "m003_copies_and_near_duplicates",
    "m004_truncations_and_suspicions",
    "m005_names_of_documents",
)


@contextlib.contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turns what SQLite raises within the block into StorageErrors that name the catalog."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _translated(path, error) from error


def _translated(path: Path, error: sqlite3.DatabaseError) -> StorageError:
    if not hasattr(error, "sqlite_errorcode") and "decode" in str(error):  # raised by the module, not the library
        return CatalogDamagedError(f"the catalog {path} holds text that is none ({error})")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL:
            return StorageFullError(f"no space left while writing {path}")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return IndexLockedError(f"{path} stayed locked for {BUSY_SECONDS:.0f} s")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return IndexReadOnlyError(f"{path} cannot be opened for writing")
        case sqlite3.SQLITE_IOERR:
            # A full disk also shows itself as a failed write of the shared-memory file.
            return StorageFullError(f"{path} could not be read or written ({error})", hint="check the disk")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_ERROR:
            # SQLITE_ERROR is "no such table" and the like: our statements are fixed, so the schema is not whole.
            return CatalogDamagedError(f"the catalog {path} is damaged ({error})")
        case _:
            return StorageError(f"the catalog {path} failed: {error}")


def create(path: Path) -> None:
    """Makes a new, empty catalog at ``path``; it appears there whole or not at all."""
    unfinished = path.with_suffix(".new")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in path.parent.glob(unfinished.name + "*"):
            leftover.unlink()
    from sqlite_utils import Database

    from rag_engine.index.migrations import migrate

    with translated_errors(path):
        database = Database(str(unfinished))
        try:
            database.execute("pragma page_size = 8192")
            migrate(database)
            # With its identity from the start: a process killed right after this leaves a whole, empty index.
            database.table("meta").insert({"key": INDEX_ID, "value": uuid.uuid4().hex})
            database.enable_wal()
        finally:
            database.close()
    with writing(path):
        unfinished.rename(path)
        sync_folder(path.parent)


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection to an existing catalog, migrated to this version where it can be written.

    Raises:
        IndexNotFoundError: there is no catalog.
        CatalogDamagedError: the file is not a catalog, or is empty.
        NewerFormatError: a later version has written it.
    """
    if not path.exists():
        raise IndexNotFoundError(f"there is no index at {path.parent}")
    if path.stat().st_size == 0:
        raise CatalogDamagedError(f"the catalog {path} is empty: its content is lost")
    with translated_errors(path):
        connection = _open(path, read_only=read_only)
        try:
            connection.execute(f"pragma busy_timeout = {int(BUSY_SECONDS * 1000)}")
            connection.execute("pragma foreign_keys = on")
            # FULL, not NORMAL: what was reported as committed must outlive a power cut, not only a kill.
            connection.execute("pragma synchronous = full")
            if not _is_current(connection):
                _migrate(connection)
        except BaseException:
            connection.close()
            raise
    connection.isolation_level = None
    return connection


def _is_current(connection: sqlite3.Connection) -> bool:
    try:
        applied = connection.execute("select name from _sqlite_migrations order by name").fetchall()
    except sqlite3.OperationalError:  # no migration has been here
        return False
    return [name for (name,) in applied] == list(SCHEMA)


def _migrate(connection: sqlite3.Connection) -> None:
    from sqlite_utils import Database

    from rag_engine.index.migrations import migrate

    migrate(Database(connection, execute_plugins=False))


def _open(path: Path, *, read_only: bool) -> sqlite3.Connection:
    if not read_only:
        return sqlite3.connect(path, check_same_thread=False)
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        connection.execute("select count(*) from sqlite_master").fetchone()
    except sqlite3.OperationalError:
        # Where the folder cannot be written SQLite cannot keep its shared-memory file. Nothing
        # can write there then, so the file may be read as it is, unless a killed writer left commits beside it.
        journal = path.with_name(f"{path.name}-wal")
        if journal.exists() and journal.stat().st_size:
            raise IndexReadOnlyError(
                f"{path.parent} cannot be written, and {journal.name} holds commits that are not in {path.name} yet",
                hint="run rag status once where the folder can be written, or on a copy of it",
            ) from None
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, check_same_thread=False)
    return connection
