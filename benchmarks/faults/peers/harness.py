"""What the contenders' programs share: one call a line, with the clock and the account of what came.

Nothing of rag_engine is imported: each program runs in its peer's own virtual environment, by its path. It first
prints one line of JSON with the version of its library, then reads a line of JSON a call from stdin
(``url``, ``stream``, ``timeout`` in seconds) and prints one with what came of it.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

# Looks like a key, so that a library checks nothing but its form.
KEY = "sk-test-0123456789abcdefghijklmnopqrstuvwxyz"
MODEL = "gpt-test"
QUESTION = "What is the capital of France?"


@dataclass(frozen=True)
class Told:
    """What a library hands its caller. ``attempts`` where it says how many there were."""

    text: str
    finish: str | None = None
    usage: tuple[int, int] | None = None
    attempts: int | None = None


@dataclass(frozen=True)
class Call:
    """What is asked for; ``url`` has no path."""

    url: str
    stream: bool
    timeout: float


Ask = Callable[[Call], Awaitable[Told]]


def run(distribution: str, ask: Ask) -> None:
    """The program's whole way."""
    _print({"version": importlib.metadata.version(distribution)})
    asyncio.run(_serve(ask))


async def _serve(ask: Ask) -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        started = time.perf_counter()
        try:
            told = await ask(Call(**json.loads(line)))
        except Exception as error:  # noqa: BLE001 - whatever a library raises is what its caller sees
            seconds = time.perf_counter() - started
            names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__[:-2]]
            _print({"seconds": seconds, "error": names, "message": str(error)[:300]})
            continue
        seconds = time.perf_counter() - started
        fields = {"text": told.text, "finish": told.finish, "usage": told.usage, "attempts": told.attempts}
        _print({"seconds": seconds, **fields})


def _print(fields: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()
