"""What today cost until now, without a query a question: this process's calls at once, others' a second later."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rag_engine.errors import NewerFormatError, StorageError
from rag_engine.ledger import USAGE_FILE_NAME, UsageLedger
from rag_engine.ledger.spending import Spending
from rag_engine.types.calls import CallRecord
from rag_engine.types.generation import Usage

NOON = 1_780_000_000.0
TODAY, TOMORROW = "2026-05-28", "2026-05-29"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def call(cost: float | None, *, model: str = "one", when: float = NOON, reservation: int | None = None) -> CallRecord:
    return CallRecord(
        call="a", attempt=1, provider="openai", model=model, when=when, seconds=0.1, outcome="stop",
        usage=None if cost is None else Usage(100, 20, cost), reservation=reservation,
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / USAGE_FILE_NAME


def opened(path: Path, *, now: float = NOON, budget: float | None = None) -> UsageLedger:
    return UsageLedger(path, budget_per_day=budget, clock=lambda: now)


def spending(path: Path, clock: Clock) -> Spending:
    return Spending(path, open_outcome="open", version=1, clock=clock)


def test_nothing_was_spent_before_anything_was_and_no_file_is_made(path: Path) -> None:
    with closing(opened(path)) as ledger:
        assert ledger.spent() == {}
    assert not path.exists()


def test_what_is_recorded_counts_at_once_and_once(path: Path) -> None:
    with closing(opened(path)) as ledger:
        ledger.record(call(0.25))
        assert ledger.spent() == {"openai/one": 0.25}
        ledger.record(call(0.5, model="two"))
        ledger.record(call(None))
        ledger.record(call(0.25))
        assert ledger.spent() == {"openai/one": 0.5, "openai/two": 0.5}
        ledger.flush()
        assert ledger.spent() == {"openai/one": 0.5, "openai/two": 0.5}
    with closing(opened(path)) as ledger:
        assert ledger.spent() == {"openai/one": 0.5, "openai/two": 0.5}


def test_what_is_set_aside_counts_until_it_is_settled_and_for_good_where_it_never_is(path: Path) -> None:
    clock = Clock()
    with closing(opened(path, budget=9.0)) as ledger, closing(spending(path, clock)) as seen:
        number = ledger.reserve(model="openai/one", cost=2.0)
        ledger.reserve(model="openai/killed", cost=1.0)
        assert seen.of(TODAY) == {"openai/one": 2.0, "openai/killed": 1.0}
        ledger.record(call(0.5, reservation=number))
        ledger.flush()
        clock.now += 2
        assert seen.of(TODAY) == {"openai/one": 0.5, "openai/killed": 1.0}
        clock.now += 2
        assert seen.of(TODAY) == {"openai/one": 0.5, "openai/killed": 1.0}


def test_other_processes_calls_are_seen_after_a_second_and_not_asked_for_before(path: Path) -> None:
    clock = Clock()
    with closing(opened(path)) as other, closing(spending(path, clock)) as seen:
        other.record(call(1.0))
        other.flush()
        assert seen.of(TODAY) == {"openai/one": 1.0}
        other.record(call(0.5))
        other.flush()
        assert seen.of(TODAY) == {"openai/one": 1.0}
        clock.now += 1.5
        assert seen.of(TODAY) == {"openai/one": 1.5}


def test_a_day_begins_with_nothing_spent(path: Path) -> None:
    with closing(opened(path)) as ledger:
        ledger.record(call(1.0, when=NOON - 86_400))
        ledger.record(call(0.5))
        assert ledger.spent() == {"openai/one": 0.5}
        ledger.flush()
        assert ledger.spent() == {"openai/one": 0.5}
    with closing(opened(path, now=NOON + 86_400)) as ledger:
        assert ledger.spent() == {}


def test_a_call_counts_twice_for_a_moment_rather_than_never_and_then_once(path: Path) -> None:
    clock = Clock()
    with closing(opened(path)) as ledger, closing(spending(path, clock)) as seen:
        seen.recorded(day=TODAY, model="openai/one", cost=1.0)
        ledger.record(call(1.0))
        ledger.flush()
        assert seen.of(TODAY) == {"openai/one": 2.0}, "written, but nobody has said so yet"
        seen.written()
        clock.now += 2
        assert seen.of(TODAY) == {"openai/one": 1.0}


def test_a_file_that_is_none_cannot_tell_what_was_spent(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)
    with closing(opened(path)) as ledger:
        for _ in range(2):
            with pytest.raises(StorageError, match="cannot be read"):
                ledger.spent()


def test_a_file_that_breaks_later_leaves_what_was_known(path: Path) -> None:
    clock = Clock()
    with closing(opened(path)) as ledger:
        ledger.record(call(1.0))
    with closing(spending(path, clock)) as seen:
        assert seen.of(TODAY) == {"openai/one": 1.0}
        seen.close()
        path.write_bytes(b"no database" * 1_000)
        clock.now += 2
        assert seen.of(TODAY) == {"openai/one": 1.0}
        with pytest.raises(StorageError):
            seen.of(TOMORROW)


def test_a_locked_file_can_be_read(path: Path) -> None:
    with closing(opened(path)) as ledger:
        ledger.record(call(1.0))
        ledger.flush()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("begin immediate")
            assert ledger.spent() == {"openai/one": 1.0}
            other.execute("rollback")


def test_a_file_of_a_later_version_is_not_read(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("pragma user_version = 99")
    with closing(opened(path)) as ledger, pytest.raises(NewerFormatError):
        ledger.spent()
