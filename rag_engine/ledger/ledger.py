"""The ledger: experiences of strategies and questions that went well, in a SQLite file of its own in the index folder.

It can be lost without harm, and nothing waits for it: where it is damaged, locked or the disk is full, the engine
goes on without it and says so once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag_engine.error_handler.forks import across_forks
from rag_engine.errors import NewerFormatError
from rag_engine.ledger.ledger_file import LedgerFile, passes
from rag_engine.types.optimization import (
    Gains,
    PastQuestion,
    QueryExperience,
    StrategyName,
    TaskType,
    kind_of_question,
)

FILE_NAME = "ledger.sqlite"
MOST_KEPT = 10_000
SCHEMA_VERSION = 1
# A search waits so long for it; what records outside of searches may wait longer.
_READ_SECONDS = 0.005
_WRITE_SECONDS = 2.0
# Words of more questions than this tell little, and to rank all of these would hold up a search.
_MOST_OF_A_WORD = 300
_MOST_WORDS = 6
_SCHEMA = (
    "create table experiences (number integer primary key autoincrement, strategy text not null, task text not null, "
    "kind text not null, gain real not null, features text not null, recorded real not null)",
    "create index experiences_by_kind on experiences (strategy, task, kind, gain)",
    "create virtual table questions using fts5 (text, quality unindexed, documents unindexed, "
    "tokenize = 'unicode61 remove_diacritics 0')",
    "create virtual table words using fts5vocab (questions, row)",
)


class Ledger:
    """Opened when first used, made when first written to. May be used from several threads."""

    def __init__(self, path: Path) -> None:
        """``path`` is the file; it need not exist."""
        self._file = LedgerFile(path, schema=_SCHEMA, version=SCHEMA_VERSION)
        self._lock = threading.Lock()
        self._said = False
        self._broken = False
        across_forks(
            self, begin_anew=Ledger._begin_anew, locks=lambda one: (one._lock,), close=lambda one: one._file.close()
        )

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        with self._lock:
            self._file.close()

    def record(self, experiences: Sequence[QueryExperience]) -> None:
        """Keeps these; of more than 10,000 the oldest are forgotten."""
        with self._using(write=True) as connection:
            if connection is None:
                return
            connection.executemany(
                "insert into experiences (strategy, task, kind, gain, features, recorded) values (?, ?, ?, ?, ?, ?)",
                [
                    (one.strategy, one.task, kind_of_question(one.features), _bounded(one.gain),
                     json.dumps(dict(one.features)), one.when or time.time())
                    for one in experiences
                    if one.gain == one.gain  # not a number says nothing
                ],
            )  # fmt: skip
            connection.execute(
                "delete from experiences where number <= (select max(number) from experiences) - ?", (MOST_KEPT,)
            )

    def gains(self) -> Sequence[Gains]:
        """What is remembered, summed by strategy, task and kind of question."""
        found: list[Gains] = []
        with self._using() as connection:
            if connection is None:
                return found
            rows = connection.execute(
                "select strategy, task, kind, count(*), sum(gain) from experiences group by strategy, task, kind"
            ).fetchall()
            known = set(StrategyName), set(TaskType)  # a later version may have written others
            found += [
                Gains(StrategyName(strategy), TaskType(task), kind, count, total)
                for strategy, task, kind, count, total in rows
                if strategy in known[0] and task in known[1]
            ]
        return found

    def record_questions(self, questions: Sequence[PastQuestion]) -> None:
        """Keeps these questions, each once; of more than 10,000 the oldest are forgotten."""
        with self._using(write=True) as connection:
            if connection is None:
                return
            for question in questions:
                phrase = f'"{question.text.replace(chr(34), chr(34) * 2)}"'
                with contextlib.suppress(sqlite3.OperationalError):  # nothing but punctuation: no phrase to look for
                    connection.execute(
                        "delete from questions where questions match ? and text = ?", (phrase, question.text)
                    )
                connection.execute(
                    "insert into questions (text, quality, documents) values (?, ?, ?)",
                    (question.text, question.quality, json.dumps(list(question.documents))),
                )
            connection.execute(
                "delete from questions where rowid in "
                "(select rowid from questions order by rowid desc limit -1 offset ?)", (MOST_KEPT,)
            )  # fmt: skip

    def questions_with(self, words: Sequence[str], *, most: int) -> Sequence[PastQuestion]:
        """Up to ``most`` questions that have some of the rarest of the words (case folded), those with the most and
        the rarest first."""
        found: list[PastQuestion] = []
        with self._using() as connection:
            if connection is None or not words:
                return found
            rarest = connection.execute(
                "select term from words where term in (select value from json_each(?)) and doc <= ? "
                "order by doc limit ?",
                (json.dumps(list(words)), _MOST_OF_A_WORD, _MOST_WORDS),
            ).fetchall()
            if not rarest:
                return found
            asked = " OR ".join(f'"{word}"' for (word,) in rarest)
            rows = connection.execute(
                "select text, quality, documents from questions where questions match ? order by rank limit ?",
                (asked, most),
            ).fetchall()
            found += [PastQuestion(text, float(quality), tuple(json.loads(ids))) for text, quality, ids in rows]
        return found

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._file.begin_anew()

    @contextlib.contextmanager
    def _using(self, *, write: bool = False) -> Iterator[sqlite3.Connection | None]:
        """The connection, in a transaction where something is written; None where it cannot be had now."""
        seconds = _WRITE_SECONDS if write else _READ_SECONDS
        if self._broken or not self._lock.acquire(timeout=seconds):
            yield None
            return
        try:
            connection = self._ready(write=write, seconds=seconds)
            try:
                yield connection
                if connection is not None and write:
                    connection.execute("commit")
            except (sqlite3.Error, ValueError) as error:
                self._give_up(error)
        finally:
            with contextlib.suppress(sqlite3.Error):
                connection = self._file.connection
                if connection is not None and connection.in_transaction:
                    connection.execute("rollback")
            self._lock.release()

    def _ready(self, *, write: bool, seconds: float) -> sqlite3.Connection | None:
        """The connection, within a transaction where something is to be written."""
        try:
            connection = self._file.opened(seconds=seconds, make=write)
            if connection is not None:
                connection.execute(f"pragma busy_timeout = {int(seconds * 1000)}")
                if write:
                    connection.execute("begin immediate")
        except NewerFormatError:
            self._say("was written by a later version of rag_engine")
            self._broken = True
            return None
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
            return None
        return connection

    def _give_up(self, error: Exception) -> None:
        """Goes on without: for this once where it is locked, for good where it is damaged or cannot be written."""
        if not passes(error):
            self._broken = True
        self._say(str(error))

    def _say(self, why: str) -> None:
        if not self._said:
            self._said = True
            logging.getLogger(__name__).warning(
                "%s cannot be used (%s): searches go on without what was learnt; remove the file if this stays so",
                self._file.path,
                why,
            )


def _bounded(gain: float) -> float:
    return max(-1.0, min(1.0, gain))
