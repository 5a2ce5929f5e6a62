"""Routes over real sockets under faults: no wrong answer, and no task, socket, thread or call that nobody waits for."""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.faults.wire_places import open_sockets
from benchmarks.routing.soak import ledger_against, record_of, short_of, soaked
from benchmarks.routing.soak_answers import prompt_of, text_of
from benchmarks.routing.soak_callers import UNTOLD, Callers
from benchmarks.routing.soak_faults import Fault
from benchmarks.routing.soak_leftovers import held, settled
from benchmarks.routing.soak_route import route_over, transport
from benchmarks.routing.soak_server import Pace, Servers, running_servers
from rag_engine.errors import GenerationError
from rag_engine.ledger import ROUTING_FILE_NAME, USAGE_FILE_NAME, UsageLedger
from rag_engine.llm.router import RoutedModel
from rag_engine.types.generation import Completion
from tests.faults.forking_route import CALLS, CHILDREN, ROWS

OPTIONS = argparse.Namespace(calls=600, at_a_time=32, seed=3, strategy="weighted", progress=False)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with running_servers(3, seed=7, pace=Pace(turn=0.5)) as running:
        yield running


def under_way(servers: Servers) -> int:
    """Calls that nobody waits for, once the servers have heard of what was closed."""
    end = time.monotonic() + 10.0
    while (count := sum(tally.under_way for tally in servers.seen()[0])) and time.monotonic() < end:
        time.sleep(0.02)
    return count


async def answer(route: RoutedModel, number: int) -> Completion | GenerationError:
    """The answer, which is the right one; or the typed error."""
    try:
        completion = await route.complete(prompt_of(number))
    except GenerationError as error:
        return error
    assert completion.text == text_of(number)
    return completion


def test_a_soak_has_no_wrong_answer_and_leaves_nothing(servers: Servers, tmp_path: Path) -> None:
    path = tmp_path / "usage.sqlite"
    seen, samples, rest = asyncio.run(soaked(servers, UsageLedger(path), OPTIONS))
    record = record_of(seen, samples, rest, ledger_against(path, seen), servers.seen())

    assert record["calls"] == OPTIONS.calls
    # How many are answered is a matter of the weather, which changes by the clock: while all breakers are open, callers
    # hear so at once, and ask on.
    assert record["answered"] > 0
    assert record["faults_made"] > 0
    # How much memory 600 calls take says nothing of 100,000.
    assert short_of({**record, "megabytes_per_100000_calls": 0.0}) == []
    assert record["examples"] == []


def test_callers_who_go_away_at_any_moment_leave_no_call_at_the_servers(servers: Servers, tmp_path: Path) -> None:
    path = tmp_path / "usage.sqlite"
    ledger = UsageLedger(path)

    async def main() -> Callers:
        before = held()
        wire = transport()
        route = route_over(servers.urls, wire, ledger=ledger)
        callers = Callers(route, calls=300, seed=5, share_leaving=1.0, longest_wait=0.05)
        await callers.run(16)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert await asyncio.to_thread(under_way, servers) == 0
        # Still open: connections that wait for a next call; none of them is lost with the route.
        await route.aclose()
        await wire.aclose()
        ledger.close()
        beyond = await settled(before)
        # asyncio keeps the thread in which the servers were looked at.
        assert (beyond.tasks, beyond.files) == (0, 0)
        return callers

    callers = asyncio.run(main())
    seen = callers.seen
    assert seen.cancelled > 0
    assert (seen.wrong, seen.doubled, dict(seen.untyped)) == (0, 0, {})
    counted = ledger_against(path, seen)
    assert (counted["questions_that_differ"], counted["numbered_wrong"]) == (0, 0)
    with closing(sqlite3.connect(path)) as connection:
        (cancelled,) = connection.execute("select count(*) from attempts where outcome = 'cancelled'").fetchone()
    assert cancelled > 0
    assert seen.told.count(UNTOLD) >= seen.cancelled


def test_a_route_that_is_asked_from_one_loop_after_another_leaves_no_socket(servers: Servers) -> None:
    route = route_over(servers.urls, transport())
    before, threads = open_sockets(), threading.active_count()
    answered = 0
    for number in range(40):
        answered += isinstance(asyncio.run(answer(route, number)), Completion)
        assert open_sockets() == before
    assert answered > 0
    assert under_way(servers) == 0
    assert threading.active_count() == threads


def test_two_threads_with_a_loop_each_have_each_their_own_answers(servers: Servers) -> None:
    wire = transport()
    route = route_over(servers.urls, wire)
    before = open_sockets()
    told: list[tuple[int, int, int, int]] = []

    def ask(seed: int) -> None:
        async def main() -> None:
            callers = Callers(route, calls=200, seed=seed, share_leaving=0.1, longest_wait=0.03)
            seen = await callers.run(12)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            told.append((seen.answered, seen.wrong, seen.doubled, seen.untyped.total()))
            await wire.aclose()

        asyncio.run(main())

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 2
    assert all(answered > 0 for answered, *_ in told)
    assert [rest for _, *rest in told] == [[0, 0, 0]] * 2
    assert under_way(servers) == 0
    assert open_sockets() == before


def test_a_process_that_is_forked_while_it_asks_and_writes_has_children_that_answer_and_lose_no_row(
    servers: Servers, tmp_path: Path
) -> None:
    # In an interpreter of its own: a child has the locks of all threads, and other tests have some.
    program = [sys.executable, "-m", "tests.faults.forking_route", str(tmp_path), *servers.urls]
    done = subprocess.run(program, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)

    # One that hung was killed, and has said where it was.
    assert told["codes"] == [0] * CHILDREN, "\n".join(told["said"]) + done.stderr
    assert told["wrong"] == 0
    answered = [int(said) for said in told["said"]]
    assert sum(answered) > CHILDREN * CALLS / 2
    with closing(sqlite3.connect(tmp_path / USAGE_FILE_NAME)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        rows = Counter(call for (call,) in connection.execute("select call from attempts where provider = 'nobody'"))
        (settled_twice,) = connection.execute(
            "select count(*) from "
            "(select call, attempt from attempts where call <> '' group by 1, 2 having count(*) > 1)"
        ).fetchone()
    assert {f"child {number}": rows[f"child {number}"] for number in range(CHILDREN)} == {
        f"child {number}": ROWS + 1 for number in range(CHILDREN)
    }
    assert rows["parent"] == told["recorded"]
    assert settled_twice == 0
    with closing(sqlite3.connect(tmp_path / ROUTING_FILE_NAME)) as connection:
        known = {name for (name,) in connection.execute("select deployment from health")}
    assert known >= {"parent", *(f"child {number}" for number in range(CHILDREN))}
    assert under_way(servers) == 0


def test_a_silent_server_is_left_and_hears_that_nobody_waits(servers: Servers) -> None:
    def silences() -> int:
        drawn = servers.seen()[1]
        return drawn.get(Fault.SILENCE, 0) + drawn.get(Fault.LONG_PAUSE, 0)

    async def main() -> None:
        wire = transport()
        route = route_over(servers.urls, wire)
        before, number = silences(), 0
        while silences() == before and number < 20_000:
            await asyncio.gather(*(answer(route, one) for one in range(number, number + 50)))
            number += 50
        await wire.aclose()
        assert silences() > before

    asyncio.run(main())
    assert under_way(servers) == 0
