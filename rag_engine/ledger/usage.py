"""What calls of language models cost, a row an attempt, in a SQLite file of its own; and the budget of a day.

A reservation is a row before the money is spent, at the most that the call can cost. It stands until the call is
settled: one that was killed midway counts in full, so that a budget is never exceeded by what nobody could record.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag_engine.error_handler.forks import across_forks
from rag_engine.errors import BudgetExceededError, StorageError, UsageError
from rag_engine.ledger.background_writer import BackgroundWriter
from rag_engine.ledger.ledger_file import LedgerFile, passes, transaction
from rag_engine.ledger.spending import Spending
from rag_engine.types.calls import CallRecord, UsageTotal
from rag_engine.types.generation import FinishReason

FILE_NAME = "usage.sqlite"
SCHEMA_VERSION = 1
_WAIT_SECONDS = 5.0
_SCHEMA = (
    "create table attempts (number integer primary key, call text not null, attempt integer not null, "
    "provider text not null, model text not null, day text not null, started real not null, seconds real, "
    "outcome text not null, input_tokens integer, output_tokens integer, cache_read_tokens integer, "
    "cache_write_tokens integer, reasoning_tokens integer, source text, cost real, streamed integer not null, "
    "request_id text not null)",
    "create index attempts_by_day on attempts (day, model)",
    "create index attempts_by_call on attempts (call)",
)
# The outcome of a row that is reserved and not yet settled.
OPEN = "open"
_KEYS = {"day": "day", "model": "provider || '/' || model", "call": "call"}


class UsageLedger:
    """Opened when first used. May be used from several threads, and by several processes on one file.

    Attempts are written by a thread of its own within moments, many in one transaction, so that no answer waits for the
    disk; reservations are written before ``reserve`` returns. A process that ends, other than by a signal or
    ``os._exit``, writes first what is waiting. What waits at a fork is written by the parent.
    """

    def __init__(
        self,
        path: Path,
        *,
        budget_per_call: float | None = None,
        budget_per_day: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Budgets are in US dollars; a day is one of UTC."""
        self._file = LedgerFile(path, schema=_SCHEMA, version=SCHEMA_VERSION)
        self._budget_per_call = budget_per_call
        self._budget_per_day = budget_per_day
        self._clock = clock
        self._writer = BackgroundWriter(self._write_waiting, name="usage-ledger")
        self._begin_anew()
        self._said = False
        self._spending = Spending(path, open_outcome=OPEN, version=SCHEMA_VERSION, clock=time.monotonic)
        across_forks(
            self, begin_anew=UsageLedger._begin_anew, locks=lambda one: (one._lock,),
            close=lambda one: one._file.close(),
        )  # fmt: skip

    def _begin_anew(self) -> None:
        """Nothing waits yet."""
        self._lock = threading.Lock()  # of the file; who records does not wait for it
        self._changes = threading.Condition(threading.Lock())
        self._waiting: list[CallRecord] = []
        self._recorded = self._ended = 0  # the latter are written, or never will be
        self._file.begin_anew()
        self._writer.begin_anew()

    @property
    def has_budget(self) -> bool:
        """Whether there is one: without, nothing need be reserved."""
        return self._budget_per_call is not None or self._budget_per_day is not None

    def reserve(self, *, model: str, cost: float | None) -> int | None:
        """Sets aside ``cost``; gives the number under which ``record`` settles it, None where there is no budget a day.

        Raises:
            BudgetExceededError: with it a budget would be exceeded, or there is a budget and no price.
            StorageError: there is a budget a day, and what was spent cannot be told.
        """
        budget = self._budget_per_day
        if budget is None and self._budget_per_call is None:
            return None
        if cost is None:
            raise BudgetExceededError(
                f"there is a budget, and no price of {model} is known",
                hint="give the model a price in llm.models_file, or take the budget out of rag.toml",
                model=model,
            )
        if self._budget_per_call is not None and cost > self._budget_per_call:
            raise _exceeded(model, cost, "call", self._budget_per_call, 0.0)
        if budget is None:
            return None
        try:
            return self._set_aside(model, cost, budget)
        except BudgetExceededError:
            self.flush()  # what calls took less than was set aside for them may be waiting
            return self._set_aside(model, cost, budget)

    def _set_aside(self, model: str, cost: float, budget: float) -> int | None:
        day = _day(self._clock())
        with self._transaction() as connection:
            row = connection.execute("select coalesce(sum(cost), 0) from attempts where day = ?", (day,)).fetchone()
            if row[0] + cost > budget:
                raise _exceeded(model, cost, "day", budget, row[0])
            provider, _, name = model.partition("/")
            cursor = connection.execute(
                "insert into attempts (call, attempt, provider, model, day, started, outcome, cost, streamed, "
                "request_id) values ('', 0, ?, ?, ?, ?, ?, ?, 0, '')",
                (provider, name, day, self._clock(), OPEN, cost),
            )
            return cursor.lastrowid

    def record(self, record: CallRecord) -> None:
        """Keeps one attempt and settles its reservation, soon. Where it cannot be kept, that is said once."""
        cost = None if record.usage is None else record.usage.cost
        with self._changes:  # in one step, so that both have them in one order
            self._spending.recorded(day=_day(record.when), model=f"{record.provider}/{record.model}", cost=cost)
            self._waiting.append(record)
            self._recorded += 1
        self._writer.wake()

    def spent(self) -> Mapping[str, float]:
        """US dollars by model (``provider/name``) that today's calls cost, or that are set aside for them: those of
        other processes as of about a second ago. Takes microseconds.

        Raises:
            StorageError: what was spent cannot be told.
        """
        return self._spending.of(_day(self._clock()))

    def totals(self, by: str, *, last: int = 30) -> list[UsageTotal]:
        """Sums by ``day``, ``model`` or ``call``, the latest first, at most ``last`` of them.

        Raises:
            UsageError: it is not summed by that.
            StorageError: the file cannot be read.
        """
        if by not in _KEYS:
            raise UsageError(f"usage is not summed by {by!r}", hint=f"by one of: {', '.join(_KEYS)}")
        key = _KEYS[by]
        self.flush()
        if not self._file.path.exists():
            return []
        with self._transaction() as connection:
            rows = connection.execute(
                f"select {key} as key, count(distinct case when call = '' then number else call end), count(*), "  # noqa: S608 - of _KEYS
                "sum(outcome not in (select value from json_each(?))), "
                "coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(cost), 0), "
                "sum(cost is null) from attempts group by key order by max(started) desc, max(number) desc limit ?",
                (json.dumps([OPEN, *FinishReason]), last),
            ).fetchall()
        return [UsageTotal(*row) for row in rows]

    def flush(self) -> None:
        """Waits until everything recorded so far is written."""
        with self._changes:
            recorded = self._recorded
            if self._ended < recorded:
                self._writer.hurry()
                self._changes.wait_for(lambda: self._ended >= recorded)

    def close(self) -> None:
        """Writes what is waiting and closes the file."""
        self._writer.stop()
        self._spending.close()
        with self._lock:
            self._file.close()

    def _write_waiting(self) -> float | None:
        with self._changes:
            records, self._waiting = self._waiting, []
        if not records:
            return None
        try:
            self._write(records)
        finally:
            self._spending.written(len(records))
            with self._changes:
                self._ended += len(records)
                self._changes.notify_all()
        return 0.0

    def _write(self, records: Sequence[CallRecord]) -> None:
        """All in one transaction; each in its own where one of them may have been what is wrong."""
        try:
            with self._transaction() as connection:
                connection.executemany(_INSERT, map(_row, records))
        except (StorageError, ValueError, OverflowError) as error:
            if len(records) > 1 and not passes(error.__cause__ or error):
                for record in records:
                    self._write([record])
            elif not self._said:
                self._said = True
                why = error.message if isinstance(error, StorageError) else f"a record cannot be written ({error})"
                logging.getLogger(__name__).warning("%s: what calls cost is not kept", why)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                connection = self._file.opened(seconds=_WAIT_SECONDS)
                assert connection is not None, "it is made where it is absent"  # noqa: S101
                with transaction(connection):
                    yield connection
            except sqlite3.Error as error:
                raise StorageError(
                    f"{self._file.path} cannot be used ({error})",
                    hint="mend or remove the file; it holds what calls cost",
                ) from error


_INSERT = (
    "insert or replace into attempts (number, call, attempt, provider, model, day, started, seconds, outcome, "
    "input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, source, cost, streamed, "
    "request_id) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _row(record: CallRecord) -> tuple[Any, ...]:
    usage = record.usage
    tokens = (
        (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens,
         usage.reasoning_tokens, usage.source.value, usage.cost)
        if usage is not None
        else (None,) * 7
    )  # fmt: skip
    return (
        record.reservation, record.call, record.attempt, record.provider, record.model, _day(record.when), record.when,
         record.seconds, record.outcome, *tokens, record.streamed, record.request_id,
    )  # fmt: skip


def _day(when: float) -> str:
    return datetime.fromtimestamp(when, tz=UTC).date().isoformat()


def _exceeded(model: str, cost: float, period: str, budget: float, spent: float) -> BudgetExceededError:
    already = f", of which ${spent:.4f} are spent or set aside" if spent else ""
    return BudgetExceededError(
        f"the call of {model} may cost ${cost:.4f}, and the budget of a {period} is ${budget:.4f}{already}; "
        "nothing was sent",
        hint=f"raise llm.budget_per_{period}, lower the longest answer, or choose a cheaper model",
        model=model,
    )
