"""A SQLite file with a schema and a version: how every ledger opens it, makes it, and writes to it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag_engine.errors import NewerFormatError

# Connections that a fork copied: they are the parent's, and to close them is to meddle with its locks.
_of_parents: list[sqlite3.Connection] = []


class LedgerFile:
    """One connection to the file, opened when first used. Not for several threads at once: its ledger sees to that."""

    def __init__(self, path: Path, *, schema: Sequence[str], version: int) -> None:
        """``schema`` are the statements that make a new file, which is then of this ``version``, 1 or higher."""
        self.path = path
        self._schema = schema
        self._version = version
        self.connection: sqlite3.Connection | None = None

    def opened(self, *, seconds: float, make: bool = True) -> sqlite3.Connection | None:
        """The connection, which waits up to ``seconds`` for others that write. None where nothing is kept yet, and
        nothing is to be made.

        Raises:
            NewerFormatError: a later version has written the file; it is left as it is.
            sqlite3.Error: it cannot be opened or made.
        """
        if self.connection is not None:
            return self.connection
        if not make and not self.path.exists():
            return None
        connection = sqlite3.connect(self.path, timeout=seconds, check_same_thread=False, isolation_level=None)
        try:
            version = connection.execute("pragma user_version").fetchone()[0]
            if version > self._version:
                raise NewerFormatError(f"{self.path} was written by a later version of rag_engine")  # noqa: TRY301
            if version == 0:
                if not make:
                    connection.close()
                    return None
                connection.execute("pragma journal_mode = wal")
                with transaction(connection):
                    if not connection.execute("pragma user_version").fetchone()[0]:  # nobody was faster
                        for statement in self._schema:
                            connection.execute(statement)
                        connection.execute(f"pragma user_version = {self._version}")
            connection.execute("pragma synchronous = normal")
        except BaseException:
            connection.close()
            raise
        self.connection = connection
        return connection

    def close(self) -> None:
        """Closes the connection; the next use opens it again."""
        connection, self.connection = self.connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def begin_anew(self) -> None:
        """For the child of a fork: a connection that its parent could not close before is not used, nor closed."""
        connection, self.connection = self.connection, None
        if connection is not None:
            leave_to_parent(connection)


def leave_to_parent(connection: sqlite3.Connection) -> None:
    """Neither uses nor closes a connection that a fork copied."""
    _of_parents.append(connection)


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """What is done within is written at once, when it ends well, and else not at all."""
    connection.execute("begin immediate")
    try:
        yield connection
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("rollback")
        raise


def passes(error: BaseException) -> bool:
    """Whether it may be gone in a moment: somebody else writes."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
