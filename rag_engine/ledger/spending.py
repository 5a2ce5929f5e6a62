"""What today's calls cost until now, by model: kept in memory, so that a choice of models need not wait for the disk.

What this process records counts at once; what others wrote is read about once a second, and only what is new. A row
that was read before it was settled is read again until it is.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from pathlib import Path

from rag_engine.error_handler.forks import across_forks
from rag_engine.errors import NewerFormatError, StorageError
from rag_engine.ledger.ledger_file import leave_to_parent

_REFRESH_SECONDS = 1.0
# Readers of a file in this mode wait for nobody; only while it is made or mended there is something to wait for.
_WAIT_SECONDS = 0.05
# So many calls are kept for whoever asks next.
_MOST_PENDING = 1_000


class Spending:
    """Sums of one day, of one file. From any thread."""

    def __init__(self, path: Path, *, open_outcome: str, version: int, clock: Callable[[], float]) -> None:
        """``open_outcome`` marks rows that are not settled, ``version`` is the newest form of the file that is read.
        ``clock`` never goes back."""
        self._path = path
        self._open_outcome = open_outcome
        self._version = version
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._begin_anew()
        across_forks(
            self,
            begin_anew=Spending._begin_anew,
            locks=lambda one: (one._lock,),
            close=Spending._forget_connection,
        )

    def _begin_anew(self) -> None:
        """Knows nothing yet; for the child of a fork too: what its parent has recorded the parent will write."""
        self._lock = threading.Lock()
        if self._connection is not None:
            leave_to_parent(self._connection)
            self._connection = None
        self._day = ""
        self._last = 0
        self._settled: dict[str, float] = {}
        self._open: dict[int, tuple[str, float]] = {}
        self._refresh_at = float("-inf")
        self._read = False
        # Recorded here and perhaps not written yet: the number of the record, its day, its model and what it cost.
        self._pending: deque[tuple[int, str, str, float]] = deque()
        self._recorded = 0
        self._written = 0

    def recorded(self, *, day: str, model: str, cost: float | None) -> None:
        """A call that will be written, in the order of these calls."""
        with self._lock:
            self._recorded += 1
            if cost:
                self._pending.append((self._recorded, day, model, cost))

    def written(self, count: int = 1) -> None:
        """The next of these calls, or so many of them, were written, or never will be."""
        with self._lock:
            self._written += count
            if len(self._pending) > _MOST_PENDING:  # nobody has asked for long; whoever does reads it from the file
                while self._pending and self._pending[0][0] <= self._written:
                    self._pending.popleft()
                self._refresh_at = float("-inf")

    def of(self, day: str) -> Mapping[str, float]:
        """US dollars by model (``provider/name``), spent or set aside on this day.

        Raises:
            StorageError: the file cannot be read, and was not before.
        """
        with self._lock:
            if day != self._day:
                self._day, self._last, self._settled, self._open = day, 0, {}, {}
                self._read, self._refresh_at = False, float("-inf")
            if self._clock() >= self._refresh_at:
                self._refresh()
            sums: defaultdict[str, float] = defaultdict(float, self._settled)
            for model, cost in self._open.values():
                sums[model] += cost
            for _, when, model, cost in self._pending:
                if when == day:
                    sums[model] += cost
            return sums

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        with self._lock:
            self._forget_connection()

    def _refresh(self) -> None:
        self._refresh_at = self._clock() + _REFRESH_SECONDS
        written = self._written  # before it is read: what is written meanwhile counts twice rather than never
        try:
            self._read_new()
        except sqlite3.Error as error:
            self._forget_connection()
            if not self._read:
                self._refresh_at = float("-inf")
                raise StorageError(
                    f"{self._path} cannot be read ({error})", hint="mend or remove the file; it holds what calls cost"
                ) from error
            return  # what is known is the best there is
        self._read = True
        while self._pending and self._pending[0][0] <= written:
            self._pending.popleft()

    def _read_new(self) -> None:
        connection = self._opened()
        if connection is None:
            return
        connection.execute("begin")  # all of it as of one moment
        try:
            if not self._read:
                self._settled = self._read_day(connection)
            # Rows are found by their number, not through the index of days, which would bring all of the day's again.
            rows = connection.execute(
                "select number, provider || '/' || model, cost, outcome from attempts where number > ? and +day = ? "
                "union all select number, provider || '/' || model, cost, outcome from attempts "
                "where number in (select value from json_each(?)) and +day = ?",
                (self._last, self._day, json.dumps(list(self._open)), self._day),
            ).fetchall()
        finally:
            connection.execute("rollback")  # nothing was written
        still_open: dict[int, tuple[str, float]] = {}
        for number, model, cost, outcome in rows:
            self._last = max(self._last, number)
            if outcome == self._open_outcome:
                still_open[number] = model, cost or 0.0
            else:
                self._settled[model] = self._settled.get(model, 0.0) + (cost or 0.0)
        self._open = still_open

    def _read_day(self, connection: sqlite3.Connection) -> dict[str, float]:
        """What is settled of the day; the numbers of what is not, and of the last row."""
        self._last = connection.execute("select coalesce(max(number), 0) from attempts").fetchone()[0]
        self._open = {
            number: ("", 0.0)
            for (number,) in connection.execute(
                "select number from attempts where day = ? and outcome = ?", (self._day, self._open_outcome)
            )
        }
        rows = connection.execute(
            "select provider || '/' || model, coalesce(sum(cost), 0) from attempts "
            "where day = ? and outcome <> ? group by 1",
            (self._day, self._open_outcome),
        )
        return dict(rows.fetchall())

    def _opened(self) -> sqlite3.Connection | None:
        if self._connection is not None:
            return self._connection
        if not self._path.exists():
            return None
        connection = sqlite3.connect(self._path, timeout=_WAIT_SECONDS, check_same_thread=False, isolation_level=None)
        try:
            connection.execute("pragma query_only = 1")
            version = connection.execute("pragma user_version").fetchone()[0]
            if version > self._version:
                raise NewerFormatError(f"{self._path} was written by a later version of rag_engine")  # noqa: TRY301
            if version == 0:
                connection.close()
                return None  # being made
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _forget_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()
