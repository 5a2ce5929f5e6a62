"""Runs texts' token ids through a program, in batches of similar lengths, on all of its streams."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from rag_engine.embedding.compiled.batches import length_sorted_batches
from rag_engine.embedding.compiled.programs import Program

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors


def run_sorted(program: Program, rows: Sequence[Sequence[int]], *, padding: int, limit: int) -> Vectors:
    """Vectors, shape (len(rows), dimension), in the order of ``rows``, of which there must be one.

    Batches are made while others run, two a stream at most.
    """
    vectors: Vectors | None = None
    waiting: deque[tuple[list[int], Future[Vectors]]] = deque()

    def collect() -> None:
        nonlocal vectors
        positions, future = waiting.popleft()
        batch = future.result()
        if vectors is None:
            vectors = np.empty((len(rows), batch.shape[1]), dtype=np.float32)
        vectors[positions] = batch

    batches = length_sorted_batches(rows, padding=padding, length_step=program.length_step, limit=limit)
    with ThreadPoolExecutor(program.streams, thread_name_prefix="embed") as threads:
        for positions, ids, mask in batches:
            waiting.append((positions, threads.submit(program.run, ids, mask)))
            if len(waiting) >= 2 * program.streams:
                collect()
        while waiting:
            collect()
    if vectors is None:
        raise ValueError("there are no rows")
    return vectors
