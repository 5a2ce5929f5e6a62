"""Cluster segmentation: the division of a text under which the pieces within chunks are most alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.chunking.baselines.plain_chunks import plain_chunks, stripped
from benchmarks.chunking.baselines.recursive import RecursiveChunker
from rag_engine.errors import ConfigurationError
from rag_engine.protocols import Embedder
from rag_engine.types.document import Chunk, Document

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors

PIECE_TOKENS = 50


class ClusterChunker:
    """Chroma's ClusterSemanticChunker (Smith and Troynikov, "Evaluating Chunking Strategies for Retrieval", 2024).

    Pieces of at most 50 tokens are embedded; dynamic programming finds the chunks of at most ``most_tokens`` with
    the greatest sum of similarities within them, each less the mean similarity of all pairs of the document.
    """

    def __init__(self, *, embedder: Embedder, most_tokens: int) -> None:
        """Raises ConfigurationError where not one piece fits; sizes include the embedder's special tokens."""
        if most_tokens < PIECE_TOKENS:
            raise ConfigurationError(
                f"pieces of {PIECE_TOKENS} tokens do not fit chunks of {most_tokens}",
                hint=f"give {PIECE_TOKENS} or more",
            )
        self._embedder = embedder
        self._most = most_tokens
        self._splitter = RecursiveChunker(tokenizer=embedder.tokenizer, chunk_tokens=PIECE_TOKENS)
        self._identity = f"cluster/1 tokens={most_tokens} embedder={embedder.identity.model}"

    @property
    def identity(self) -> str:
        """Name, version and settings; chunks of two chunkers of one identity are equal."""
        return self._identity

    def chunk(self, document: Document) -> list[Chunk]:
        """Chunks in order; empty where the text holds nothing but white space."""
        text = document.text
        pieces = [span for span in (stripped(text, piece) for piece in self._splitter.spans(text)) if span[0] < span[1]]
        if not pieces:
            return []
        vectors = self._embedder.embed([text[start:end] for start, end in pieces])
        ends = best_segments(vectors, most=self._most // PIECE_TOKENS)
        starts = [0, *ends[:-1]]
        spans = [(pieces[first][0], pieces[last - 1][1]) for first, last in zip(starts, ends, strict=True)]
        return plain_chunks(text, spans, self._embedder.tokenizer, most_tokens=self._most)


def best_segments(vectors: Vectors, *, most: int) -> list[int]:
    """Exclusive ends of the segments, of at most ``most`` pieces each, whose pairs are most alike in sum.

    Chroma makes the matrix of all pairs. Only its band of ``most`` diagonals is ever summed, and the mean of the pairs
    follows from the sum of the unit vectors: |sum|^2 = n + 2 (sum over pairs). So time and memory are linear in the
    pieces. A segment of one piece is worth 0, as there; ties go to the shorter segment.

    Args:
        vectors: unit rows, shape (pieces, dimension).
        most: pieces in a segment, at most.
    """
    count = len(vectors)
    if count < 2:
        return list(range(1, count + 1))
    total = vectors.sum(axis=0, dtype=np.float64)
    mean = (float(total @ total) - count) / (count * (count - 1))
    # along[first][d] is what the piece ``first`` has in common with the d pieces behind it, in sum.
    along = np.zeros((count, most))
    for distance in range(1, min(most, count)):
        pairs = np.einsum("ij,ij->i", vectors[:-distance], vectors[distance:])
        along[: count - distance, distance] = pairs - mean
    rows: list[list[float]] = np.cumsum(along, axis=1).tolist()
    best, begins = [0.0], [0]  # by number of pieces
    for end in range(1, count + 1):
        within, chosen, value = 0.0, end - 1, -np.inf
        for first in range(end - 1, max(-1, end - 1 - most), -1):
            within += rows[first][end - 1 - first]
            if best[first] + 2 * within > value:
                chosen, value = first, best[first] + 2 * within
        best.append(value)
        begins.append(chosen)
    ends: list[int] = []
    end = count
    while end:
        ends.append(end)
        end = begins[end]
    return ends[::-1]
