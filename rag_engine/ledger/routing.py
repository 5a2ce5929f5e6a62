"""How deployments do, and how good models' answers were, in a SQLite file of its own: for the next start, and for the
other processes of the machine.

It can be lost without harm, and nobody waits for it: what is to be kept is written by a thread of its own, what is
known is held in memory, and is read anew, as far as it has changed, when somebody has written.
"""

from __future__ import annotations

import logging
import math
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rag_engine.error_handler.forks import across_forks
from rag_engine.errors import NewerFormatError
from rag_engine.ledger.background_writer import BackgroundWriter
from rag_engine.ledger.ledger_file import LedgerFile, passes, transaction
from rag_engine.ledger.routing_rows import (
    MOST_OUTCOMES,
    SCHEMA,
    SCHEMA_VERSION,
    claim_probe,
    later,
    read_health,
    read_outcomes,
    write_health,
    write_outcomes,
)
from rag_engine.types.routing import DeploymentHealth, ModelOutcome

FILE_NAME = "routing.sqlite"
# Who asks what is known waits for nobody, who is to probe for a moment, the thread that writes for longer.
_CLAIM_SECONDS = 0.02
_WRITE_SECONDS = 2.0
# So often, at most, the file is asked whether somebody has written.
_LOOK_SECONDS = 0.2
# A file that is locked, or that cannot be written, is left alone for so long.
_LOCKED_SECONDS = 1.0
_UNWRITABLE_SECONDS = 30.0


class RoutingLedger:
    """Opened when first used, made when first written to; a ``HealthLedger`` and an ``OutcomeLedger``. May be used from
    several threads, and by several processes on one file.

    Where the file is locked, full, damaged, not to be written or of a later version, that is said once, and the process
    goes on with what it knows itself. What waits at a fork is written by the parent.
    """

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        """``path`` is the file; it need not exist. ``now`` is the time of day."""
        self._now = now
        self._reading = LedgerFile(path, schema=SCHEMA, version=SCHEMA_VERSION)
        self._writing = LedgerFile(path, schema=SCHEMA, version=SCHEMA_VERSION)
        self._said = self._broken = False
        self._paused_until = -math.inf
        # What the file says, up to an edition, as of a version of its data.
        self._rows: dict[str, DeploymentHealth] = {}
        self._edition = 0
        # Of each deployment the last that this process has recorded: until it is read from the file, until it is
        # written, and what was written and not read yet. What is known is of both; it is replaced where it grows.
        self._own: dict[str, DeploymentHealth] = {}
        self._known: dict[str, DeploymentHealth] = {}
        self._writer = BackgroundWriter(self._write_waiting, name="routing-ledger")
        self._begin_anew()
        across_forks(
            self, begin_anew=RoutingLedger._begin_anew, close=RoutingLedger._close_files,
            locks=lambda one: (one._write_lock, one._read_lock),
        )  # fmt: skip

    def _begin_anew(self) -> None:
        """Nothing waits yet, and no file is open: for the child of a fork, which goes on with what is known."""
        self._read_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._saying = threading.Lock()
        self._changes = threading.Condition(threading.Lock())
        self._waiting: dict[str, DeploymentHealth] = {}
        self._written: dict[str, DeploymentHealth] = {}
        self._outcomes: deque[ModelOutcome] = deque(maxlen=MOST_OUTCOMES)
        self._busy = False
        self._locked_since: float | None = None
        self._data_version: int | None = None
        self._look_at = -math.inf
        self._reading.begin_anew()
        self._writing.begin_anew()
        self._writer.begin_anew()

    def health(self) -> Mapping[str, DeploymentHealth]:
        """What is known of each deployment, by name: of what others have recorded, as of a fifth of a second ago. Takes
        microseconds, and waits for nobody."""
        if time.monotonic() >= self._look_at and self._read_lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._read_lock.release()
        return self._known

    def record_health(self, health: DeploymentHealth) -> None:
        """Keeps this, soon, unless another process has recorded a later change. Holds nothing up."""
        with self._changes:
            self._own[health.deployment] = self._waiting[health.deployment] = health
            if health.deployment in self._known:
                self._known[health.deployment] = health
            else:  # who goes through it must not find it grown meanwhile
                self._known = {**self._known, health.deployment: health}
        self._writer.wake()

    def claim_probe(self, deployment: str, *, seconds: float) -> bool:
        """Whether this caller, of all processes, is the one to probe the deployment now: nobody else is for so many
        seconds, or until its health is recorded anew. Always where the file cannot be used, or not within a second:
        that the caller is the only one of its process it knows itself."""
        if not self._usable():
            return True
        if not self._write_lock.acquire(timeout=_CLAIM_SECONDS):
            return self._locked_for_long()
        try:
            connection = self._connection_to_write(_CLAIM_SECONDS)
            waiting = self._take()
            try:
                with transaction(connection):
                    for health in waiting.values():  # what ends an earlier probe comes before this one
                        write_health(connection, health, today=self._now())
                    granted = claim_probe(connection, deployment, seconds=seconds, today=self._now())
            except BaseException:
                self._put_back(waiting)
                raise
            self._wrote(waiting)
        except (sqlite3.Error, NewerFormatError) as error:
            if passes(error) and not self._locked_for_long():
                return False
            self._give_up(error)
            return True
        finally:
            self._write_lock.release()
        with self._read_lock:  # who is to probe decides by what is known now
            self._look()
        return granted

    def record_outcomes(self, outcomes: Sequence[ModelOutcome]) -> None:
        """Keeps these, soon; of more than 20,000 the oldest are forgotten. Holds nothing up."""
        with self._changes:
            self._outcomes.extend(outcomes)
        self._writer.wake()

    def outcomes(self) -> Sequence[ModelOutcome]:
        """All that are kept, the oldest first, with those recorded until now."""
        self.flush()
        try:
            with self._read_lock:
                connection = None if self._broken else self._reading.opened(seconds=_CLAIM_SECONDS, make=False)
                return [] if connection is None else read_outcomes(connection)
        except (sqlite3.Error, NewerFormatError) as error:
            self._give_up(error)
            return []

    def flush(self, *, seconds: float = 5.0) -> None:
        """Waits until everything recorded so far is written, or cannot be; for at most so long."""
        with self._changes:
            self._writer.hurry()
            self._changes.wait_for(
                lambda: not (self._waiting or self._outcomes or self._busy) or not self._usable(), timeout=seconds
            )

    def close(self) -> None:
        """Writes what is waiting and closes the file; the next use opens it again."""
        self._writer.stop()
        with self._write_lock, self._read_lock:
            self._close_files()

    def _close_files(self) -> None:
        self._writing.close()
        self._reading.close()
        self._data_version = None

    def _look(self) -> None:
        """Reads what has changed in the file; the reader's lock is held."""
        self._look_at = time.monotonic() + _LOOK_SECONDS
        if self._broken:
            return
        with self._changes:
            written, self._written = self._written, {}
        try:
            connection = self._reading.opened(seconds=0.0, make=False)
            if connection is None:
                return
            version = connection.execute("pragma data_version").fetchone()[0]
            if version == self._data_version and not written:
                return
            read, self._edition = read_health(connection, after=self._edition)
        except (sqlite3.Error, NewerFormatError) as error:
            self._look_at = time.monotonic() + _LOCKED_SECONDS
            with self._changes:
                self._written = {**written, **self._written}
            if not passes(error):
                self._give_up(error)
            return
        self._data_version = version
        self._rows.update((health.deployment, health) for health in read)
        today = self._now()
        with self._changes:
            for deployment, health in written.items():
                if self._own.get(deployment) is health:
                    del self._own[deployment]
            known = dict(self._rows)
            for deployment, health in self._own.items():
                row = known.get(deployment)
                if row is None or not later(row, health, today=today):
                    known[deployment] = health
            self._known = known

    def _connection_to_write(self, seconds: float) -> sqlite3.Connection:
        connection = self._writing.opened(seconds=seconds)
        assert connection is not None, "it is made where it is absent"  # noqa: S101
        connection.execute(f"pragma busy_timeout = {int(seconds * 1000)}")
        return connection

    def _take(self) -> dict[str, DeploymentHealth]:
        with self._changes:
            waiting, self._waiting = self._waiting, {}
        return waiting

    def _put_back(self, waiting: dict[str, DeploymentHealth]) -> None:
        with self._changes:
            self._waiting = {**waiting, **self._waiting}

    def _locked_for_long(self) -> bool:
        """Whether others have held the file for a second: until then whoever holds it may be the one to probe."""
        now = time.monotonic()
        self._locked_since = self._locked_since or now
        return now >= self._locked_since + _LOCKED_SECONDS

    def _wrote(self, waiting: dict[str, DeploymentHealth]) -> None:
        self._locked_since = None
        with self._changes:
            self._written.update(waiting)

    def _write_waiting(self) -> float | None:
        with self._changes:
            if self._broken:  # this process knows it, and nobody else
                self._waiting.clear()
                self._outcomes.clear()
            waiting = bool(self._waiting or self._outcomes)
            if not (waiting and self._usable()):
                self._changes.notify_all()
                return self._paused_until - time.monotonic() if waiting else None
            self._busy = True
        try:
            self._write()
        finally:
            with self._changes:
                self._busy = False
                self._changes.notify_all()
        return max(0.0, self._paused_until - time.monotonic())

    def _write(self) -> None:
        try:
            with self._write_lock:
                connection = self._connection_to_write(_WRITE_SECONDS)
                waiting = self._take()
                with self._changes:
                    outcomes, self._outcomes = self._outcomes, deque(maxlen=MOST_OUTCOMES)
                try:
                    with transaction(connection):
                        for health in waiting.values():
                            write_health(connection, health, today=self._now())
                        if outcomes:
                            write_outcomes(connection, outcomes, today=self._now())
                except BaseException:
                    self._put_back(waiting)
                    with self._changes:
                        self._outcomes = deque([*outcomes, *self._outcomes], maxlen=MOST_OUTCOMES)
                    raise
                self._wrote(waiting)
        except (sqlite3.Error, NewerFormatError) as error:
            self._give_up(error)

    def _usable(self) -> bool:
        return not self._broken and time.monotonic() >= self._paused_until

    def _give_up(self, error: Exception) -> None:
        """Goes on without: for a moment where it is locked, for longer where it cannot be written, for good where it is
        damaged or of a later version."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        with self._saying:
            if not self._said:
                self._said = True
                logging.getLogger(__name__).warning(
                    "%s cannot be used (%s): models' health is not shared with other processes, nor kept for the next "
                    "start; remove the file if this stays so",
                    self._reading.path,
                    error,
                )
        if isinstance(error, NewerFormatError) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            self._broken = True
        self._paused_until = time.monotonic() + (_LOCKED_SECONDS if passes(error) else _UNWRITABLE_SECONDS)
