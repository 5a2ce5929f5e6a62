"""What is recorded is written in few transactions, soon; and before the process ends, however it is ended."""

from __future__ import annotations

import logging
import multiprocessing
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rag_engine.errors import BudgetExceededError
from rag_engine.ledger import ROUTING_FILE_NAME, USAGE_FILE_NAME, RoutingLedger, UsageLedger
from rag_engine.ledger.background_writer import BackgroundWriter
from rag_engine.types.calls import CallRecord
from rag_engine.types.generation import Usage
from rag_engine.types.routing import BreakerState, DeploymentHealth

RECORD = CallRecord("a", 1, "openai", "one", 1_780_000_000.0, 0.1, "stop", Usage(100, 20, 0.25))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / USAGE_FILE_NAME


def rows(path: Path, table: str = "attempts") -> int:
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute(f"select count(*) from {table}").fetchone()
    return int(count)


def until_no_thread(name: str) -> bool:
    end = time.monotonic() + 20
    while any(thread.name == name for thread in threading.enumerate()):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_what_gathers_is_written_in_one_transaction() -> None:
    waiting: list[int] = []
    written: list[list[int]] = []

    def write() -> float | None:
        taken, waiting[:] = list(waiting), []
        if taken:
            written.append(taken)
        return 0.0 if taken else None

    writer = BackgroundWriter(write, name="of-a-test")
    for number in range(1000):
        waiting.append(number)
        writer.wake()
    writer.stop()
    assert [number for taken in written for number in taken] == list(range(1000))
    assert len(written) < 100


def test_a_thread_that_has_nothing_to_write_ends_and_the_next_row_starts_another(path: Path) -> None:
    ledger = UsageLedger(path)
    for _ in range(2):
        ledger.record(RECORD)
        assert until_no_thread("usage-ledger")
    assert rows(path) == 2
    ledger.close()


def test_threads_that_record_while_others_flush_and_close_lose_nothing(path: Path) -> None:
    ledger = UsageLedger(path)

    def record() -> None:
        for number in range(300):
            ledger.record(RECORD)
            if number % 50 == 0:
                ledger.flush()
            if number % 97 == 0:
                ledger.close()

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.close()
    assert rows(path) == 1200


def test_what_was_recorded_before_a_flush_is_written_after_it(path: Path) -> None:
    with closing(UsageLedger(path)) as ledger:
        for count in range(1, 6):
            ledger.record(RECORD)
            ledger.flush()
            assert rows(path) == count


ENDINGS = {
    "at its last line": "",
    "by an error": "raise ValueError('by intent')",
    "by sys.exit": "sys.exit(3)",
    "by what is done at exit": "import atexit; atexit.register(lambda: [keep() for _ in range(5)])",
    "after a thread of its own": (
        "import threading, time; threading.Thread(target=lambda: (time.sleep(.2), [keep() for _ in range(5)])).start()"
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_process_that_ends_without_closing_its_ledgers_has_written_everything(ending: str, tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from rag_engine.ledger import *
from rag_engine.types.calls import CallRecord
from rag_engine.types.routing import BreakerState, DeploymentHealth
usage, routing = UsageLedger(Path(USAGE_FILE_NAME)), RoutingLedger(Path(ROUTING_FILE_NAME))
kept = 0
def keep():
    global kept
    kept += 1
    usage.record(CallRecord("a", kept, "openai", "one", 1.78e9, 0.1, "stop", None))
    routing.record_health(DeploymentHealth(str(kept), BreakerState.OPEN, 1e9, 5.0, "server", 3, 5, None, None, 1e9))
for _ in range(40):
    keep()
{ENDINGS[ending]}
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == {"by an error": 1, "by sys.exit": 3}.get(ending, 0), done.stderr
    expected = 45 if ending.startswith(("by what", "after")) else 40
    assert rows(tmp_path / USAGE_FILE_NAME) == expected
    assert rows(tmp_path / ROUTING_FILE_NAME, "health") == expected


def record_and_leave(folder: Path) -> None:
    ledger, routing = UsageLedger(folder / USAGE_FILE_NAME), RoutingLedger(folder / ROUTING_FILE_NAME)
    for _ in range(20):
        ledger.record(RECORD)
    routing.record_health(DeploymentHealth("one", BreakerState.OPEN, 1e9, 5.0, "server", 3, 5, None, None, 1e9))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_of_multiprocessing_that_closes_nothing_has_written_everything(method: str, tmp_path: Path) -> None:
    child = multiprocessing.get_context(method).Process(target=record_and_leave, args=(tmp_path,))  # type: ignore[attr-defined]
    child.start()
    child.join(60)
    assert child.exitcode == 0
    child.close()
    assert rows(tmp_path / USAGE_FILE_NAME) == 20
    assert rows(tmp_path / ROUTING_FILE_NAME, "health") == 1


def test_a_record_that_cannot_be_written_takes_no_other_with_it_and_is_said_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), closing(UsageLedger(path)) as ledger:
        for number in range(10):
            ledger.record(replace(RECORD, attempt=2**70 if number in (3, 7) else number))
        ledger.flush()
    assert rows(path) == 8
    assert len(caplog.records) == 1


def test_a_budget_counts_at_once_what_a_call_took_less_than_was_set_aside(path: Path) -> None:
    clock = RECORD.when
    with closing(UsageLedger(path, budget_per_day=1.0, clock=lambda: clock)) as ledger:
        for _ in range(20):
            number = ledger.reserve(model="openai/one", cost=0.9)
            ledger.record(replace(RECORD, usage=Usage(1, 1, 0.001), reservation=number))
        with pytest.raises(BudgetExceededError, match="of a day"):
            ledger.reserve(model="openai/one", cost=0.99)


def test_who_records_does_not_wait_for_a_locked_file(path: Path) -> None:
    with closing(UsageLedger(path)) as ledger:
        ledger.record(RECORD)
        ledger.flush()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("begin immediate")
            begun = time.monotonic()
            ledger.record(RECORD)
            time.sleep(0.1)  # the writer has begun to wait
            ledger.record(RECORD)
            assert time.monotonic() - begun < 2.5
            other.execute("rollback")
    assert rows(path) == 3
