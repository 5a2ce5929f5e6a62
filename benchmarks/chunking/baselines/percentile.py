"""Percentile breakpoints: cuts where a text's neighbouring groups of sentences are least alike."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.chunking.baselines.plain_chunks import Span, plain_chunks, stripped
from benchmarks.chunking.baselines.recursive import RecursiveChunker
from rag_engine.errors import ConfigurationError
from rag_engine.protocols import Embedder
from rag_engine.types.document import Chunk, Document

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Distances = NDArray[np.float32]

PIECE_TOKENS = 50
_BETWEEN_SENTENCES = re.compile(r"(?<=[.?!])\s+")


class _BreakpointChunker(ABC):
    """What both forms do: pieces, each embedded with its neighbours; a cut where the distance is over a threshold.

    Chunks are of any size: of those over the embedder's window it reads the beginning.
    """

    def __init__(self, *, embedder: Embedder, neighbours: int, identity: str) -> None:
        """``neighbours`` is how many pieces on either side are embedded with each."""
        self._embedder = embedder
        self._neighbours = neighbours
        self._identity = f"{identity} embedder={embedder.identity.model}"

    @property
    def identity(self) -> str:
        """Name, version and settings; chunks of two chunkers of one identity are equal."""
        return self._identity

    def chunk(self, document: Document) -> list[Chunk]:
        """Chunks in order; empty where the text holds nothing but white space."""
        text = document.text
        pieces = [span for span in (stripped(text, piece) for piece in self._pieces(text)) if span[0] < span[1]]
        if not pieces:
            return []
        distances = self._distances(text, pieces)
        cuts: list[int] = []
        if len(distances):
            cuts = (np.flatnonzero(distances > self._threshold(text, distances)) + 1).tolist()
        spans = [(pieces[first][0], pieces[last - 1][1]) for first, last in pairwise([0, *cuts, len(pieces)])]
        return plain_chunks(text, spans, self._embedder.tokenizer, most_tokens=None)

    def _distances(self, text: str, pieces: list[Span]) -> Distances:
        """Cosine distance of each piece's group to the next one's, shape (len(pieces) - 1,)."""
        reach, last = self._neighbours, len(pieces) - 1
        groups = [
            text[pieces[max(0, number - reach)][0] : pieces[min(last, number + reach)][1]]
            for number in range(len(pieces))
        ]
        vectors = self._embedder.embed(groups)
        distances: Distances = 1.0 - np.einsum("ij,ij->i", vectors[:-1], vectors[1:])
        return distances

    @abstractmethod
    def _pieces(self, text: str) -> list[Span]:
        """What is never cut, in order."""

    @abstractmethod
    def _threshold(self, text: str, distances: Distances) -> float:
        """The distance above which the text is cut."""


class PercentileChunker(_BreakpointChunker):
    """Greg Kamradt's semantic splitter ("5 Levels of Text Splitting", 2024), as LangChain's SemanticChunker has it:
    sentences in groups of three, cut above the 95th percentile of a document's distances."""

    def __init__(self, *, embedder: Embedder, percentile: float = 95.0) -> None:
        """Raises ConfigurationError for a percentile that is none."""
        if not 0 <= percentile <= 100:
            raise ConfigurationError(f"{percentile:g} is no percentile", hint="give one from 0 to 100")
        super().__init__(embedder=embedder, neighbours=1, identity=f"percentile/1 percentile={percentile:g}")
        self._percentile = percentile

    def _pieces(self, text: str) -> list[Span]:
        edges = [0, *(match.end() for match in _BETWEEN_SENTENCES.finditer(text)), len(text)]
        return list(pairwise(edges))

    def _threshold(self, text: str, distances: Distances) -> float:  # noqa: ARG002 - the other form goes by the text
        return float(np.percentile(distances, self._percentile))


class AverageSizeChunker(_BreakpointChunker):
    """Chroma's modification of it (KamradtModifiedChunker; Smith and Troynikov, 2024): pieces of at most 50 tokens in
    groups of seven, and the threshold that gives chunks of about an average size.

    They find the threshold by bisection; it is the greatest distance that leaves as many cuts as there are whole
    chunks of that size in the document.
    """

    def __init__(self, *, embedder: Embedder, average_tokens: int) -> None:
        """Raises ConfigurationError where the average is below a piece."""
        if average_tokens < PIECE_TOKENS:
            raise ConfigurationError(
                f"pieces of {PIECE_TOKENS} tokens cannot make chunks of {average_tokens}",
                hint=f"give {PIECE_TOKENS} or more",
            )
        super().__init__(embedder=embedder, neighbours=3, identity=f"average_size/1 tokens={average_tokens}")
        self._average = average_tokens
        self._splitter = RecursiveChunker(tokenizer=embedder.tokenizer, chunk_tokens=PIECE_TOKENS)

    def _pieces(self, text: str) -> list[Span]:
        return self._splitter.spans(text)

    def _threshold(self, text: str, distances: Distances) -> float:
        cuts = self._embedder.tokenizer.count([text])[0] // self._average
        if cuts >= len(distances):
            return -np.inf
        return float(np.sort(distances)[::-1][cuts])
