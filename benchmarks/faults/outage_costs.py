"""What an outage costs: calls upstream while everything fails, the time to decide, and what hedging saves and takes."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from benchmarks.faults.failover_contenders import open_route
from benchmarks.faults.failover_providers import FULL
from benchmarks.faults.failover_verdicts import FALLBACK, PRIMARY
from benchmarks.faults.outage_routes import two_deployments
from benchmarks.faults.outage_servers import FAILING, Mode, Servers
from benchmarks.faults.wire_contenders import Contender
from rag_engine.errors import LanguageModelError
from rag_engine.llm.circuit_breaker import BreakerPolicy
from rag_engine.llm.failover_handler import FailoverPolicy

# Beyond the seconds in which calls are begun, for those that are then under way.
TO_END = 120.0
SLOW = Mode(median=0.02, sigma=0.5, stall_every=100, stall=2.0)
HEDGED_AT_ONCE = 8
WARM_UP = 100


def amplification(contender: Contender, *, calls: int, at_once: int, seconds: float) -> dict[str, Any]:
    """All fail: how many calls arrive at the providers for each that was asked for. Calls are begun for at most so many
    ``seconds``: who waits between tries comes to fewer."""
    with Servers(FAILING, FAILING) as servers:
        open_route(contender, servers.urls[PRIMARY], servers.urls[FALLBACK], FULL)
        command = {"many": {"calls": calls, "at_once": at_once, "seconds": seconds}}
        told = contender.tell(command, seconds=seconds + TO_END)
        upstream = len(servers.arrivals(PRIMARY)) + len(servers.arrivals(FALLBACK))
    return {**told, "at_once": at_once, "upstream": upstream, "share": upstream / max(1, told["calls"])}


def budget_alone(*, calls: int, at_once: int) -> dict[str, Any]:
    """The same of ours with breakers that never open: what the retry budget allows by itself."""

    async def called(servers: Servers) -> float:
        async with two_deployments(servers.urls, breaker=BreakerPolicy(least_calls=10**9)) as two:
            numbers = iter(range(calls))

            async def caller() -> None:
                for _ in numbers:
                    with suppress(LanguageModelError):
                        await two.ask()

            before = time.perf_counter()
            await asyncio.gather(*(caller() for _ in range(at_once)))
            return time.perf_counter() - before

    with Servers(FAILING, FAILING) as servers:
        seconds = asyncio.run(called(servers))
        upstream = len(servers.arrivals(PRIMARY)) + len(servers.arrivals(FALLBACK))
    told = {"calls": calls, "answered": 0, "failed": calls, "seconds": seconds, "at_once": at_once}
    return {**told, "upstream": upstream, "share": upstream / calls}


def decision(*, calls: int) -> dict[str, Any]:
    """Microseconds from the call until a deployment is asked: with nothing wrong, and with the primary's breaker
    open."""

    async def microseconds(servers: Servers, *, is_open: bool) -> list[float]:
        never_again = BreakerPolicy(open_seconds=600.0, longest_open_seconds=600.0)
        asked_first = FALLBACK if is_open else PRIMARY
        async with two_deployments(servers.urls, breaker=never_again) as two:
            if is_open:
                await two.until_open()
            found = []
            for number in range(calls + WARM_UP):
                before = time.perf_counter()
                await two.ask()
                if number >= WARM_UP:
                    found.append((two.stamps[asked_first].moments[-1] - before) * 1e6)
            return found

    with Servers(Mode(), Mode()) as servers:
        usual = asyncio.run(microseconds(servers, is_open=False))
        servers.turn(PRIMARY, FAILING)
        opened = asyncio.run(microseconds(servers, is_open=True))
    told = {"calls": calls, "usual_p50": at(usual, 0.5), "usual_p99": at(usual, 0.99)}
    told |= {"open_p50": at(opened, 0.5), "open_p99": at(opened, 0.99)}
    return {**told, "over_usual_p50": at(opened, 0.5) - at(usual, 0.5), "open_longest": max(opened)}


def hedging(*, calls: int) -> dict[str, Any]:
    """The same calls with and without a second one beside those that are slow, in milliseconds. Of a hundred requests
    each provider lets one wait for two seconds."""
    without, extra_without = asyncio.run(_timed(calls, share=0.0))
    hedged, extra = asyncio.run(_timed(calls, share=FailoverPolicy().hedge_share))
    told: dict[str, Any] = {"calls": calls, "extra_without": extra_without, "extra": extra}
    for name, found in (("without", without), ("hedged", hedged)):
        told |= {f"{name}_{quantile}": at(found, share) for quantile, share in QUANTILES.items()}
        slowest = sorted(found)[-max(1, len(found) // 100) :]
        told[f"{name}_slowest_hundredth"] = sum(slowest) / len(slowest)
    return {**told, "p99_share": told["hedged_p99"] / told["without_p99"]}


async def _timed(calls: int, *, share: float) -> tuple[list[float], float]:
    with Servers(SLOW, SLOW) as servers:
        async with two_deployments(servers.urls, policy=FailoverPolicy(hedge_share=share)) as two:
            numbers = iter(range(calls + WARM_UP))
            found = []

            async def caller() -> None:
                for number in numbers:
                    before = time.perf_counter()
                    await two.ask()
                    if number >= WARM_UP:
                        found.append((time.perf_counter() - before) * 1e3)

            await asyncio.gather(*(caller() for _ in range(HEDGED_AT_ONCE)))
        arrived = len(servers.arrivals(PRIMARY)) + len(servers.arrivals(FALLBACK))
    return found, arrived / (calls + WARM_UP) - 1


QUANTILES = {"p50": 0.5, "p95": 0.95, "p98": 0.98, "p99": 0.99, "p999": 0.999}


def at(values: Sequence[float], share: float) -> float:
    """What the slowest ``1 - share`` of the values are at least."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.floor(share * len(ordered) + 1e-9))]
