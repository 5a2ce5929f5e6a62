"""What the programs of the contenders with a fallback share: a route that is opened once and asked again and again.

Nothing of rag_engine is imported: each program runs in its peer's own virtual environment, by its path. It first
prints one line of JSON with the version of its library, then reads commands from stdin, a line of JSON each, and
prints one line for each: ``open`` a route (``Setting``), ``ask`` it once, or ask it ``many`` times.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

# Looks like a key, so that a library checks nothing but its form.
KEY = "sk-test-0123456789abcdefghijklmnopqrstuvwxyz"
QUESTION = "Say in sixty words why a gate is worth what it does when what is behind it breaks."
RETRIES = 2


@dataclass(frozen=True)
class Setting:
    """Two providers, by their addresses without a path and their models' names, and the limits in seconds: until the
    first word, between two pieces, of the whole call, and how long a provider that failed is left alone."""

    primary: str
    fallback: str
    primary_model: str
    fallback_model: str
    first_word: float
    idle: float
    deadline: float
    cooldown: float
    buffered: bool = False


@dataclass(frozen=True)
class Told:
    """What a library hands its caller; ``attempts`` where it says how many there were."""

    text: str
    model: str | None = None
    usage: tuple[int, int] | None = None
    attempts: int | None = None


class Route(Protocol):
    """A library's primary with its fallback."""

    async def ask(self) -> Told:
        """One call, streamed."""
        ...

    async def aclose(self) -> None:
        """Ends it."""
        ...


def run(distribution: str, open_route: Callable[[Setting], Awaitable[Route]]) -> None:
    """The program's whole way."""
    _print({"version": importlib.metadata.version(distribution)})
    asyncio.run(_serve(open_route))


async def _serve(open_route: Callable[[Setting], Awaitable[Route]]) -> None:
    loop = asyncio.get_running_loop()
    route: Route | None = None
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        if "open" in command:
            if route is not None:
                await route.aclose()
            route = await open_route(Setting(**command["open"]))
            _print({"opened": True})
        elif route is None:
            _print({"error": "no route is open"})
        elif "many" in command:
            _print(await _many(route, **command["many"]))
        else:
            _print(await _asked(route, command["ask"]))


async def _asked(route: Route, longest: float) -> dict[str, Any]:
    started = time.perf_counter()
    task = asyncio.ensure_future(route.ask())
    done, _ = await asyncio.wait({task}, timeout=longest)
    seconds = time.perf_counter() - started
    if not done:
        task.cancel()
        await asyncio.wait({task}, timeout=1)
        return {"seconds": seconds, "hung": True}
    error = task.exception()
    if error is not None:
        kind = type(error)
        return {"seconds": seconds, "error": f"{kind.__module__}.{kind.__qualname__}", "message": str(error)[:300]}
    told = task.result()
    fields = {"text": told.text, "model": told.model, "usage": told.usage, "attempts": told.attempts}
    return {"seconds": seconds, **fields}


async def _many(route: Route, calls: int, at_once: int, seconds: float) -> dict[str, Any]:
    """So many calls, or those that could be begun in so many seconds."""
    numbers = iter(range(calls))
    counts = {"calls": 0, "answered": 0, "failed": 0}
    started = time.perf_counter()

    async def caller() -> None:
        for _ in numbers:
            if time.perf_counter() - started > seconds:
                return
            counts["calls"] += 1
            try:
                await route.ask()
            except Exception:  # noqa: BLE001 - whatever a library raises is no answer
                counts["failed"] += 1
            else:
                counts["answered"] += 1

    await asyncio.gather(*(caller() for _ in range(at_once)))
    return {**counts, "seconds": time.perf_counter() - started}


def _print(fields: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()
