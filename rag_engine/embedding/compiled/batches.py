"""Texts as batches of token ids: sorted by length, so that little is padding, and of about equal numbers of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers

# Enough for full matrix tiles, few enough for a core's second-level cache: benchmarks, speed/embedding.
BATCH_TOKENS = 1536


def length_sorted_batches(
    rows: Sequence[Sequence[int]], *, padding: int, length_step: int, limit: int, batch_tokens: int = BATCH_TOKENS
) -> Iterator[tuple[list[int], Numbers, Numbers]]:
    """Batches of token ids, the longest first.

    Args:
        rows: the token ids of each text.
        padding: the id that fills up.
        length_step: lengths are rounded up to multiples of this.
        limit: no row is longer; lengths are not rounded up beyond it.
        batch_tokens: tokens of a batch, padding included.

    Yields:
        Positions of the batch's texts in ``rows``, their ids and their attention mask, shape (texts, tokens) each.
    """
    order = sorted(range(len(rows)), key=lambda position: -len(rows[position]))
    first = 0
    while first < len(order):
        length = min(limit, -(-len(rows[order[first]]) // length_step) * length_step)
        positions = order[first : first + max(1, batch_tokens // length)]
        yield positions, *padded([rows[position] for position in positions], length, padding)
        first += len(positions)


def padded(rows: Sequence[Sequence[int]], length: int, padding: int) -> tuple[Numbers, Numbers]:
    """Ids and attention mask of rows, filled up to ``length``."""
    ids = np.full((len(rows), length), padding, dtype=np.int64)
    mask = np.zeros((len(rows), length), dtype=np.int64)
    for row, tokens in enumerate(rows):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return ids, mask
