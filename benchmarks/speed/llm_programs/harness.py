"""What the contenders' programs share: a way to ask, and the clocks around it.

Nothing of rag_engine is imported: each program runs in its library's own virtual environment, by its path, with the
server's address and the names of ways as arguments. It prints a line of JSON when it is ready, then reads a line a
batch from stdin (``way``, ``kind``, ``count``) and prints one with what it took.
"""

from __future__ import annotations

import time

_BEGAN, _USED = time.perf_counter(), time.process_time()

import argparse  # noqa: E402 - what follows belongs to the time that a program takes to begin
import asyncio  # noqa: E402
import importlib.metadata  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import AsyncIterator, Callable, Mapping  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, Protocol  # noqa: E402

KEY = "sk-test-0123456789abcdefghijklmnopqrstuvwxyz"
MODEL = "gpt-4o-mini"
INSTRUCTIONS = "Answer from the sources alone and name them."
QUESTION = "A sentence of a source that is neither short nor long. " * 70 + "What do the sources say?"
SLOWLY = QUESTION + " Say it slowly."
CHUNKS = 100
TEXT = " word" * CHUNKS
# What a library does behind an answer is its own, too: so long it may take before the next one's turn.
_SETTLE_SECONDS = 0.03


def messages(question: str) -> list[dict[str, str]]:
    """As OpenAI's form has them."""
    return [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": question}]


class Way(Protocol):
    """A way to ask."""

    async def whole(self, question: str) -> str:
        """The text of a whole answer."""
        ...

    def pieces(self, question: str) -> AsyncIterator[str]:
        """The texts of a streamed one."""
        ...


def run(distribution: str, ways: Mapping[str, Callable[[str], Way]]) -> None:
    """The program's whole way. A way is given the base address, with ``/v1``; importing its library is its business,
    so that it counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("ways", nargs="+", choices=list(ways))
    options = parser.parse_args()
    asyncio.run(_serve(distribution, options.url, {name: ways[name] for name in options.ways}))


async def _serve(distribution: str, url: str, makers: Mapping[str, Callable[[str], Way]]) -> None:
    before = time.perf_counter()
    made = {name: maker(f"{url}/v1") for name, maker in makers.items()}
    ready, used = time.perf_counter(), time.process_time()
    for way in made.values():
        await _whole(way)
    _print(
        {
            "version": importlib.metadata.version(distribution),
            # Of this program's own imports asyncio is the longest, and each contender needs it.
            "import_ms": (ready - _BEGAN) * 1e3,
            "import_processor_ms": (used - _USED) * 1e3,
            "library_ms": (ready - before) * 1e3,
            "first_call_ms": (time.perf_counter() - ready) * 1e3,
            "rss_mb": _resident_megabytes(),
        }
    )
    while line := sys.stdin.readline():
        batch = json.loads(line)
        _print(await _batch(made[batch["way"]], batch["kind"], batch["count"]))


async def _batch(way: Way, kind: str, count: int) -> dict[str, Any]:
    """Seconds of each answer, of each first chunk, and of the processor for all together."""
    seconds, first = [], []
    used = time.process_time()
    for _ in range(count):
        began = time.perf_counter()
        if kind == "whole":
            await _whole(way)
        else:
            first.append(await _streamed(way, SLOWLY if kind == "slow" else QUESTION) - began)
        seconds.append(time.perf_counter() - began)
    await asyncio.sleep(_SETTLE_SECONDS)
    return {"seconds": seconds, "first": first, "processor": time.process_time() - used}


async def _whole(way: Way) -> None:
    if await way.whole(QUESTION) != TEXT:
        raise SystemExit("a whole answer is not what was sent")


async def _streamed(way: Way, question: str) -> float:
    """When the first piece came."""
    first, came = 0.0, []
    async for piece in way.pieces(question):
        if not came:
            first = time.perf_counter()
        came.append(piece)
    if "".join(came) != TEXT:
        raise SystemExit("a streamed answer is not what was sent")
    return first


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _print(fields: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()
