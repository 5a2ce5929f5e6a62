"""What a process holds: tasks, files, threads and memory."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class Held:
    """What is open: tasks beside the one that asks, file descriptors (sockets among them), threads."""

    tasks: int
    files: int
    threads: int

    def beyond(self, before: Held) -> Held:
        """What is held more than before."""
        return Held(self.tasks - before.tasks, self.files - before.files, self.threads - before.threads)


def held() -> Held:
    """What this process holds now, after a collection of garbage."""
    gc.collect()
    return Held(len(asyncio.all_tasks()) - 1, len(os.listdir("/proc/self/fd")), threading.active_count())  # noqa: PTH208


async def settled(before: Held) -> Held:
    """What is held beyond ``before``, once nothing more is given back, after ``_GRACE_SECONDS`` at the latest."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _GRACE_SECONDS
    while True:
        beyond = held().beyond(before)
        if beyond == Held(0, 0, 0) or loop.time() > end:
            return beyond
        await asyncio.sleep(0.01)


def resident_megabytes() -> float:
    """Memory of this process, after a collection of garbage."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 1e6


class _HeapUse(ctypes.Structure):
    """What glibc's ``mallinfo2`` tells."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "free_chunks", "fast", "mapped", "mapped_bytes", "_", "fast_bytes", "used", "free", "top")
    ]


def heap_megabytes() -> float:
    """What is in use of the C library's heap: without the holes that lie between, which count as resident. 0 where
    the library does not tell."""
    tell = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if tell is None:
        return 0.0
    tell.restype = _HeapUse
    use = tell()
    return float(use.used + use.mapped_bytes) / 1e6


def slope(points: Sequence[tuple[float, float]]) -> float:
    """By least squares, what the second number grows by where the first does by 1."""
    count = len(points)
    if count < 2:
        return 0.0
    x_mean = sum(x for x, _ in points) / count
    y_mean = sum(y for _, y in points) / count
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / spread if spread else 0.0
