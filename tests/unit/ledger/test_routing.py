"""What is known of deployments outlives a restart and is shared by processes; and nobody waits for the file, whatever
has become of it."""

from __future__ import annotations

import contextlib
import logging
import math
import multiprocessing
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rag_engine.ledger import ROUTING_FILE_NAME, RoutingLedger
from rag_engine.ledger.routing_rows import MOST_OUTCOMES
from rag_engine.llm.circuit_breaker import CircuitBreaker
from rag_engine.types.models import ModelTask
from rag_engine.types.routing import BreakerState, DeploymentHealth, ModelOutcome

OPEN, CLOSED = BreakerState.OPEN, BreakerState.CLOSED
NOW = 1_790_000_000.0


def opened(deployment: str = "a", *, changed: float = NOW, until: float = NOW + 5) -> DeploymentHealth:
    return DeploymentHealth(deployment, OPEN, until, 5.0, "server", 3, 5, 0.25, 0.01, changed)


def outcome(number: int = 1, *, quality: float = 0.5) -> ModelOutcome:
    return ModelOutcome(f"question {number}", ModelTask.CODE, "openai/one", quality, 0.001, 1.5, NOW + number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ROUTING_FILE_NAME


@pytest.fixture
def ledger(path: Path) -> Iterator[RoutingLedger]:
    with closing(RoutingLedger(path, now=lambda: NOW)) as ledger:
        yield ledger


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_reading_makes_no_file(ledger: RoutingLedger, path: Path) -> None:
    assert ledger.health() == {}
    assert list(ledger.outcomes()) == []
    assert not path.exists()


def test_what_was_recorded_is_known_at_once_and_after_a_restart(path: Path) -> None:
    with closing(RoutingLedger(path)) as before:
        before.record_health(opened())
        assert before.health() == {"a": opened()}
        before.record_health(opened("b"))
    with closing(RoutingLedger(path)) as after:
        assert after.health() == {"a": opened(), "b": opened("b")}


def test_what_is_known_does_not_grow_under_who_reads_it(ledger: RoutingLedger) -> None:
    ledger.record_health(opened())
    known = ledger.health()
    ledger.record_health(opened("b"))
    assert set(known) == {"a"}


def test_what_another_ledger_records_is_seen_within_a_second(path: Path, ledger: RoutingLedger) -> None:
    ledger.record_health(opened())
    ledger.flush()
    with closing(RoutingLedger(path, now=lambda: NOW)) as other:
        assert other.health() == {"a": opened()}
        closed = DeploymentHealth("a", changed=NOW)
        ledger.record_health(closed)
        assert until(lambda: other.health()["a"] == closed)


def test_of_two_changes_the_later_holds_whoever_is_written_last(path: Path, ledger: RoutingLedger) -> None:
    early, late = opened(changed=NOW - 2), DeploymentHealth("a", changed=NOW - 1)
    ledger.record_health(late)
    ledger.flush()
    with closing(RoutingLedger(path, now=lambda: NOW)) as other:
        other.record_health(early)
        other.flush()
        assert until(lambda: other.health()["a"] == late)
    assert ledger.health()["a"] == late


def test_what_a_clock_ahead_has_written_does_not_stand_for_ever(path: Path, ledger: RoutingLedger) -> None:
    with closing(RoutingLedger(path, now=lambda: NOW + 3600)) as ahead:
        ahead.record_health(opened(changed=NOW + 3600, until=NOW + 3605))
    closed = DeploymentHealth("a", changed=NOW)
    assert ledger.health()["a"].state is OPEN
    ledger.record_health(closed)
    ledger.flush()
    assert until(lambda: ledger.health()["a"] == closed)
    with closing(RoutingLedger(path)) as other:
        assert other.health()["a"] == closed


def test_reading_again_takes_microseconds_also_of_a_thousand_deployments(ledger: RoutingLedger) -> None:
    for number in range(1000):
        ledger.record_health(opened(f"deployment-{number}"))
    ledger.flush()
    ledger.health()
    started = time.perf_counter()
    for _ in range(1000):
        assert len(ledger.health()) == 1000
    assert time.perf_counter() - started < 1.0  # a millisecond each, where some microseconds are meant


# Probes.


def test_one_of_all_may_probe_until_its_time_is_over_or_the_health_is_recorded_anew(path: Path) -> None:
    today = [NOW]
    with (
        closing(RoutingLedger(path, now=lambda: today[0])) as one,
        closing(RoutingLedger(path, now=lambda: today[0])) as other,
    ):
        assert one.claim_probe("a", seconds=60)
        assert not other.claim_probe("a", seconds=60)
        assert not one.claim_probe("a", seconds=5)
        assert other.claim_probe("b", seconds=60)
        today[0] += 60
        assert other.claim_probe("a", seconds=60)
        other.record_health(opened(changed=today[0]))
        assert other.claim_probe("a", seconds=60)
        assert not one.claim_probe("a", seconds=60)


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_claim_of_a_clock_that_jumped_holds_nobody_up(path: Path, jump: float) -> None:
    with (
        closing(RoutingLedger(path, now=lambda: NOW)) as one,
        closing(RoutingLedger(path, now=lambda: NOW + jump)) as two,
    ):
        assert one.claim_probe("a", seconds=60)
        assert two.claim_probe("a", seconds=60)


def test_a_claim_that_says_a_thousand_years_is_believed_for_ten_minutes(path: Path, ledger: RoutingLedger) -> None:
    assert ledger.claim_probe("a", seconds=3e10)
    with closing(RoutingLedger(path, now=lambda: NOW + 601)) as later:
        assert later.claim_probe("a", seconds=60)


def claims(path: Path, gate: Path, count: int) -> int:
    """How many of so many probes, one after another, this process may make."""
    with closing(RoutingLedger(path)) as ledger:
        while not gate.exists():
            time.sleep(0.001)
        return sum(ledger.claim_probe(f"deployment-{number}", seconds=600) for number in range(count))


def test_of_several_processes_exactly_one_may_make_each_probe(path: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        others = pool.starmap_async(claims, [(path, gate, 50)] * 3)
        gate.touch()
        assert sum(others.get()) == 50


def test_threads_of_one_process_are_told_apart_too(ledger: RoutingLedger) -> None:
    granted: list[bool] = []
    threads = [threading.Thread(target=lambda: granted.append(ledger.claim_probe("a", seconds=60))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(granted) == [False] * 19 + [True]


PROBER = """
import sys, time
from pathlib import Path
from rag_engine.ledger import RoutingLedger
from rag_engine.llm.circuit_breaker import BreakerPolicy, CircuitBreaker
ledger = RoutingLedger(Path(sys.argv[1]))
breaker = CircuitBreaker("a", policy=BreakerPolicy(open_seconds=0.05, probe_seconds=2.0), ledger=ledger)
for _ in range(5):
    breaker.acquire().failed(cause="server")
ledger.flush()
while (permit := breaker.acquire()) is None:
    time.sleep(0.01)
assert permit.probe
print("probing", flush=True)
time.sleep(600)
"""


def test_a_prober_that_was_killed_keeps_others_from_probing_no_longer_than_it_said(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", PROBER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process, closing(RoutingLedger(path)) as ledger:
        assert process.stdout.readline() == "probing\n"
        breaker = CircuitBreaker("a", ledger=ledger)
        assert breaker.state is BreakerState.HALF_OPEN
        assert breaker.acquire() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        probe = None

        def granted() -> bool:
            nonlocal probe
            probe = breaker.acquire()
            return probe is not None

        assert until(granted)
        assert probe is not None
        assert probe.probe
        probe.succeeded()
        ledger.flush()
    with closing(RoutingLedger(path)) as after:
        assert after.health()["a"].state is CLOSED


OPENER = """
import sys
from pathlib import Path
from rag_engine.ledger import RoutingLedger
from rag_engine.llm.circuit_breaker import CircuitBreaker
ledger = RoutingLedger(Path(sys.argv[1]))
breaker = CircuitBreaker("a", ledger=ledger)
breaker.acquire().failed(cause="quota", cool_down=600)
ledger.close()
"""


def test_a_breaker_sees_what_another_process_has_opened(path: Path) -> None:
    with closing(RoutingLedger(path)) as ledger:
        breaker = CircuitBreaker("a", ledger=ledger)
        assert breaker.state is CLOSED
        subprocess.run([sys.executable, "-c", OPENER, str(path)], check=True)
        assert until(lambda: breaker.state is OPEN)
        assert breaker.health().cause == "quota"
        assert 500 < breaker.seconds_until_probe <= 600


# Outcomes.


def test_outcomes_come_back_in_their_order_and_the_oldest_are_forgotten(path: Path, ledger: RoutingLedger) -> None:
    ledger.record_outcomes([outcome(1), outcome(2)])
    ledger.record_outcomes([outcome(3)])
    assert list(ledger.outcomes()) == [outcome(1), outcome(2), outcome(3)]
    ledger.record_outcomes([outcome(4)] * (MOST_OUTCOMES - 1))
    kept = ledger.outcomes()
    assert len(kept) == MOST_OUTCOMES
    assert kept[0] == outcome(3)


def test_outcomes_that_are_no_numbers_or_out_of_bounds_do_no_harm(ledger: RoutingLedger) -> None:
    ledger.record_outcomes([outcome(quality=math.nan), outcome(quality=7.0), replace(outcome(2), when=0.0)])
    first, second = ledger.outcomes()
    assert (first.quality, second.when) == (1.0, NOW)


# A file that cannot be used.


def use(ledger: RoutingLedger) -> None:
    """Everything that a ledger does, with what this process must see of it in any case."""
    ledger.record_health(opened())
    ledger.record_outcomes([outcome()])
    ledger.flush()
    assert ledger.health()["a"] == opened()
    ledger.outcomes()
    assert ledger.claim_probe("b", seconds=60)
    assert ledger.health()["a"] == opened()


def test_a_damaged_file_is_said_once_and_gone_on_without(
    path: Path, ledger: RoutingLedger, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(b"this is no database, and it is long enough to be read as a page of one" * 200)
    with caplog.at_level(logging.WARNING):
        use(ledger)
        use(ledger)
    assert len(caplog.records) == 1
    assert "not shared" in caplog.text


def test_a_file_damaged_while_it_is_used_is_gone_on_without(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(RoutingLedger(path, now=lambda: NOW)) as before:
        for number in range(500):
            before.record_health(opened(f"deployment-{number}"))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))
    with closing(RoutingLedger(path, now=lambda: NOW)) as ledger, caplog.at_level(logging.WARNING):
        use(ledger)
    assert len(caplog.records) == 1


def test_rows_that_say_nothing_sensible_are_passed_over(path: Path, ledger: RoutingLedger) -> None:
    ledger.record_health(opened("good"))
    ledger.record_health(opened("a"))
    ledger.record_health(opened("b"))
    ledger.flush()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update health set state = 'resting' where deployment = 'a'")
        connection.execute("update health set until = 'soon' where deployment = 'b'")
        connection.commit()
    with closing(RoutingLedger(path)) as other:
        assert set(other.health()) == {"good"}


def test_a_file_of_a_later_version_is_said_once_and_left_alone(
    path: Path, ledger: RoutingLedger, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 99")
    before = path.read_bytes()
    with caplog.at_level(logging.WARNING):
        use(ledger)
        use(ledger)
    assert path.read_bytes() == before
    assert len(caplog.records) == 1
    assert "later version" in caplog.text


def test_a_locked_file_holds_nobody_up_is_said_once_and_written_when_it_is_free(
    path: Path, ledger: RoutingLedger, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.record_health(opened("z"))
    ledger.flush()
    with closing(sqlite3.connect(path, isolation_level=None)) as other, caplog.at_level(logging.WARNING):
        other.execute("begin immediate")
        started = time.perf_counter()
        ledger.record_health(opened())
        assert ledger.health()["a"] == opened()
        ledger.claim_probe("b", seconds=60)
        assert time.perf_counter() - started < 1.5  # hundredths of a second, on a machine with nothing else to do
        assert until(lambda: ledger.claim_probe("b", seconds=60))
        assert until(lambda: bool(caplog.records))
        other.execute("rollback")
    assert len(caplog.records) == 1

    def written() -> bool:
        with closing(RoutingLedger(path)) as reader:
            return "a" in reader.health()

    assert until(written)


def test_a_folder_that_cannot_hold_it_is_gone_on_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(RoutingLedger(tmp_path / "absent" / "routing.sqlite", now=lambda: NOW)) as ledger:
        use(ledger)
    assert len(caplog.records) == 1


def test_a_file_that_may_not_be_written_is_still_read(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(RoutingLedger(path)) as before:
        before.record_health(opened("z"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = delete")
    # As root may write everything, the file says itself that it is only to be read: by a format of a later SQLite.
    data = bytearray(path.read_bytes())
    data[18] = 9
    path.write_bytes(data)
    with closing(RoutingLedger(path, now=lambda: NOW)) as ledger, caplog.at_level(logging.WARNING):
        assert ledger.health() == {"z": opened("z")}
        use(ledger)
        assert ledger.health()["z"] == opened("z")
    assert len(caplog.records) == 1


@contextlib.contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """No file grows beyond what ``path`` has now: as near to a full disk as a process may make one for itself."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_said_once_and_what_is_known_stays(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(RoutingLedger(path)) as before:
        before.record_health(opened("z"))
    with closing(RoutingLedger(path, now=lambda: NOW)) as ledger:
        with caplog.at_level(logging.WARNING), full_disk(path):
            for number in range(2000):
                ledger.record_health(opened(f"deployment-{number}"))
            use(ledger)
            assert len(ledger.health()) == 2002
        assert len(caplog.records) == 1


def test_a_ledger_may_be_closed_and_used_again_and_leaves_no_thread(ledger: RoutingLedger) -> None:
    before = threading.active_count()
    for number in range(3):
        ledger.record_health(opened(str(number)))
        ledger.close()
        assert threading.active_count() == before
    assert set(ledger.health()) == {"0", "1", "2"}
