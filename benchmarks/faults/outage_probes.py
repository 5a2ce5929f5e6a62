"""Half open and well again: how many callers probe at once, in one process and in four, and how soon it is noticed."""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Mapping
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from benchmarks.faults.failover_verdicts import FALLBACK, PRIMARY
from benchmarks.faults.outage_routes import TwoDeployments, two_deployments
from benchmarks.faults.outage_servers import FAILING, Mode, Servers
from rag_engine.ledger import ROUTING_FILE_NAME, RoutingLedger
from rag_engine.llm.circuit_breaker import BreakerPolicy
from rag_engine.types.routing import BreakerState

# The probe is under way for so long: nobody who comes meanwhile may make another.
PROBE_SECONDS = 3.0
# Long enough that nothing but the breaker decides, short enough to wait for.
BREAKER = BreakerPolicy(open_seconds=2.0, longest_open_seconds=8.0)
PROCESSES = 4
GIVE_UP_SECONDS = 60.0
APART = 0.02


def half_open(*, callers: int, well: bool) -> dict[str, Any]:
    """So many callers at once when the primary may be probed, which then answers, or fails again."""
    with Servers(FAILING, Mode()) as servers:
        told = asyncio.run(_half_open(servers, callers, well))
        return {**told, **_counted(servers, callers)}


async def _half_open(servers: Servers, callers: int, well: bool) -> dict[str, Any]:
    async with two_deployments(servers.urls, breaker=BREAKER) as two:
        await two.until_open()
        servers.turn(PRIMARY, Mode(status=200 if well else 500, delay=PROBE_SECONDS))
        await _until_half_open(two)
        return {"answered": await _answered(two, callers)}


def half_open_in_processes(*, callers: int) -> dict[str, Any]:
    """The same over several processes that share what they know in one ledger."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(PROCESSES + 1), context.Queue()
    with tempfile.TemporaryDirectory() as folder, Servers(FAILING, Mode()) as servers:
        processes = [
            context.Process(
                target=_callers,
                args=(number, servers.urls, folder, callers // PROCESSES, barrier, results),
                daemon=True,
            )
            for number in range(PROCESSES)
        ]
        for process in processes:
            process.start()
        barrier.wait(GIVE_UP_SECONDS)  # all have heard that the primary is out
        servers.turn(PRIMARY, Mode(delay=PROBE_SECONDS))
        barrier.wait(GIVE_UP_SECONDS)
        answered = sum(results.get(timeout=GIVE_UP_SECONDS) for _ in processes)
        for process in processes:
            process.join(GIVE_UP_SECONDS)
        return {"processes": PROCESSES, "answered": answered, **_counted(servers, callers)}


def _callers(number: int, urls: Mapping[str, str], folder: str, callers: int, barrier: Barrier, results: Any) -> None:
    """One process: the first finds the primary out, the others hear of it."""

    async def called() -> int:
        ledger = RoutingLedger(Path(folder) / ROUTING_FILE_NAME)
        try:
            async with two_deployments(urls, breaker=BREAKER, ledger=ledger) as two:
                if number == 0:
                    await two.until_open()
                else:
                    await _until(lambda: two.breaker.state is not BreakerState.CLOSED)
                barrier.wait(GIVE_UP_SECONDS)
                barrier.wait(GIVE_UP_SECONDS)
                await _until_half_open(two)
                return await _answered(two, callers)
        finally:
            ledger.close()

    results.put(asyncio.run(called()))


async def _answered(two: TwoDeployments, callers: int) -> int:
    done = await asyncio.gather(*(two.ask() for _ in range(callers)), return_exceptions=True)
    return sum(isinstance(each, str) for each in done)


def _counted(servers: Servers, callers: int) -> dict[str, Any]:
    moments = servers.arrivals(PRIMARY)
    probes = sum(moment < moments[0] + PROBE_SECONDS for moment in moments) if moments else 0
    return {"callers": callers, "probes": probes, "fallback_calls": len(servers.arrivals(FALLBACK))}


def recovery(*, outages: tuple[float, ...]) -> list[dict[str, Any]]:
    """After outages of so many seconds, when and with which call the primary answers again."""
    found = []
    for seconds in outages:
        with Servers(FAILING, Mode()) as servers:
            found.append(asyncio.run(_recovery(servers, seconds)))
    return found


async def _recovery(servers: Servers, outage: float) -> dict[str, Any]:
    async with two_deployments(servers.urls, breaker=BREAKER) as two:
        ends = time.monotonic() + outage
        while time.monotonic() < ends:
            await two.ask()
            await asyncio.sleep(APART)
        await _until(lambda: two.breaker.state is BreakerState.OPEN)
        interval = two.breaker.health().open_seconds
        tries = len(servers.arrivals(PRIMARY))
        servers.turn(PRIMARY, Mode())
        well = time.monotonic()
        calls_when_due = 0
        while time.monotonic() < well + GIVE_UP_SECONDS:
            due = two.breaker.state is BreakerState.HALF_OPEN
            answered_by = await two.ask()
            calls_when_due += due
            if answered_by == PRIMARY:
                break
            await asyncio.sleep(APART)
        after = time.monotonic() - well
        told = {"outage": outage, "tries_during": tries, "seconds": after, "interval": interval}
        return {**told, "calls_when_due": calls_when_due, "over_interval": after - interval}


async def _until_half_open(two: TwoDeployments) -> None:
    await _until(lambda: two.breaker.state is BreakerState.HALF_OPEN)


async def _until(true: Any) -> None:
    ends = time.monotonic() + GIVE_UP_SECONDS
    while not true():
        if time.monotonic() > ends:
            raise TimeoutError(f"the breaker did not get there within {GIVE_UP_SECONDS:g} s")
        await asyncio.sleep(0.005)
