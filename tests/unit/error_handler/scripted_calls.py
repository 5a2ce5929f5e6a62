"""Calls that fail as they are told, and time that passes only while somebody sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from rag_engine.error_handler import retry_with_backoff


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


class Scripted:
    """Raises what it is given, in order; then answers."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= len(self.errors):
            raise self.errors[self.calls - 1]
        return "answer"


def run(scripted: Callable[[], Any], *, sync: bool, clock: Clock, **options: Any) -> Any:
    """The same call as a plain and as an async function."""
    options = {"clock": clock, "draw": lambda: 1.0, **options}
    if sync:
        return retry_with_backoff(scripted, sleep=clock.sleep, **options)()

    async def asked() -> Any:
        await asyncio.sleep(0)
        return scripted()

    return asyncio.run(retry_with_backoff(asked, sleep=clock.asleep, **options)())


both = pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
