"""What calls cost is kept to the cent, and a budget stops the money before it is spent."""

from __future__ import annotations

import logging
import multiprocessing
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from rag_engine.errors import BudgetExceededError, NewerFormatError, StorageError, UsageError
from rag_engine.ledger import USAGE_FILE_NAME, UsageLedger
from rag_engine.types.calls import CallRecord
from rag_engine.types.generation import Usage

NOON = 1_780_000_000.0
DAY = 86_400.0
MODEL = "openai/one"


def call(
    name: str = "a", *, attempt: int = 1, outcome: str = "stop", cost: float | None = 0.25, when: float = NOON,
    model: str = "one", reservation: int | None = None,
) -> CallRecord:  # fmt: skip
    return CallRecord(
        call=name,
        attempt=attempt,
        provider="openai",
        model=model,
        when=when,
        seconds=0.1,
        outcome=outcome,
        usage=Usage(100, 20, cost),
        reservation=reservation,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / USAGE_FILE_NAME


@pytest.fixture
def ledger(path: Path) -> Iterator[UsageLedger]:
    with closing(UsageLedger(path, clock=lambda: NOON)) as opened:
        yield opened


def budgeted(path: Path, *, day: float | None = 1.0, each: float | None = None, now: float = NOON) -> UsageLedger:
    return UsageLedger(path, budget_per_day=day, budget_per_call=each, clock=lambda: now)


def test_reading_makes_no_file(ledger: UsageLedger, path: Path) -> None:
    assert ledger.totals("day") == []
    assert not path.exists()


def test_every_attempt_is_counted_and_the_sums_are_exact(ledger: UsageLedger) -> None:
    for record in (call("a", outcome="server", cost=0.0), call("a", attempt=2), call("b", model="two", cost=0.5)):
        ledger.record(record)
    (day,) = ledger.totals("day")
    assert (day.calls, day.attempts, day.failed) == (2, 3, 1)
    assert (day.input_tokens, day.output_tokens, day.cost) == (300, 60, 0.75)
    assert {total.key: total.cost for total in ledger.totals("model")} == {"openai/one": 0.25, "openai/two": 0.5}
    assert {total.key: total.attempts for total in ledger.totals("call")} == {"a": 2, "b": 1}


def test_attempts_without_a_price_are_told_apart(ledger: UsageLedger) -> None:
    ledger.record(call("a", cost=None))
    ledger.record(call("b"))
    (day,) = ledger.totals("day")
    assert (day.cost, day.unpriced) == (0.25, 1)


def test_days_are_those_of_utc_and_the_latest_comes_first(ledger: UsageLedger) -> None:
    midnight = NOON - NOON % DAY
    for when in (midnight - 1, midnight):
        ledger.record(call(str(when), when=when))
    assert [total.key for total in ledger.totals("day")] == ["2026-05-28", "2026-05-27"]
    assert len(ledger.totals("day", last=1)) == 1


def test_usage_is_summed_by_nothing_else(ledger: UsageLedger) -> None:
    with pytest.raises(UsageError, match="colour"):
        ledger.totals("colour")


def test_what_was_recorded_is_there_for_the_next_process(path: Path) -> None:
    with closing(UsageLedger(path)) as first:
        first.record(call())
    with closing(UsageLedger(path)) as second:
        assert second.totals("day")[0].attempts == 1


def test_without_a_budget_nothing_is_reserved(ledger: UsageLedger, path: Path) -> None:
    assert not ledger.has_budget
    assert ledger.reserve(model=MODEL, cost=1e9) is None
    assert not path.exists()


def test_a_call_over_its_budget_is_refused_and_says_all_sums(path: Path) -> None:
    with closing(budgeted(path, day=None, each=0.1)) as ledger, pytest.raises(BudgetExceededError) as caught:
        ledger.reserve(model=MODEL, cost=0.25)
    assert "$0.2500" in caught.value.message
    assert "$0.1000" in caught.value.message
    assert "budget_per_call" in caught.value.hint


def test_a_day_over_its_budget_is_refused_and_the_next_day_is_not(path: Path) -> None:
    with closing(budgeted(path)) as ledger:
        number = ledger.reserve(model=MODEL, cost=0.9)
        ledger.record(call(cost=0.8, reservation=number))
        ledger.flush()
        assert ledger.reserve(model=MODEL, cost=0.2) is not None
        with pytest.raises(BudgetExceededError, match="of a day"):
            ledger.reserve(model=MODEL, cost=0.01)
    with closing(budgeted(path, now=NOON + DAY)) as tomorrow:
        assert tomorrow.reserve(model=MODEL, cost=1.0) is not None


def test_a_reservation_gives_way_to_what_the_call_cost(path: Path) -> None:
    with closing(budgeted(path)) as ledger:
        number = ledger.reserve(model=MODEL, cost=0.9)
        ledger.record(call(cost=0.1, reservation=number))
        (day,) = ledger.totals("day")
        assert (day.cost, day.attempts) == (0.1, 1)


def test_a_call_that_was_never_settled_counts_in_full(path: Path) -> None:
    with closing(budgeted(path)) as killed:
        killed.reserve(model=MODEL, cost=0.9)
    with closing(budgeted(path)) as ledger, pytest.raises(BudgetExceededError):
        ledger.reserve(model=MODEL, cost=0.2)


def test_a_call_without_a_price_is_refused_where_there_is_a_budget(path: Path) -> None:
    with closing(budgeted(path)) as ledger, pytest.raises(BudgetExceededError, match="no price"):
        ledger.reserve(model=MODEL, cost=None)


def test_a_budget_of_nothing_lets_only_what_is_free_through(path: Path) -> None:
    with closing(budgeted(path, day=0.0, each=0.0)) as ledger:
        assert ledger.reserve(model=MODEL, cost=0.0) is not None
        with pytest.raises(BudgetExceededError):
            ledger.reserve(model=MODEL, cost=1e-6)


def reserve_all(path: Path, count: int) -> int:
    """How many of so many reservations of 1/128 of a dollar, which sums keep exactly, go through."""
    done = 0
    with closing(budgeted(path, day=50 / 128)) as ledger:
        for _ in range(count):
            try:
                ledger.reserve(model=MODEL, cost=1 / 128)
            except BudgetExceededError:
                continue
            done += 1
    return done


def test_threads_and_processes_together_never_exceed_a_budget(path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool, ThreadPoolExecutor(4) as threads:
        others = pool.starmap_async(reserve_all, [(path, 30)] * 2)
        own = sum(threads.map(lambda _: reserve_all(path, 10), range(4)))
        assert own + sum(others.get()) == 50


def test_a_damaged_file_stops_calls_that_have_a_budget_and_no_others(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(b"not a database" * 100)
    with closing(budgeted(path)) as strict, pytest.raises(StorageError, match="cannot be used"):
        strict.reserve(model=MODEL, cost=0.1)
    with caplog.at_level(logging.WARNING), closing(UsageLedger(path)) as loose:
        for _ in range(3):
            loose.record(call())
    assert len(caplog.records) == 1
    assert "not kept" in caplog.text


def test_a_file_of_a_later_version_is_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 99")
    with closing(UsageLedger(path)) as ledger, pytest.raises(NewerFormatError):
        ledger.totals("day")
