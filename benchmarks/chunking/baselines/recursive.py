"""Recursive separators: at paragraphs where these fit, else at lines, sentences, words, characters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from benchmarks.chunking.baselines.plain_chunks import Span, plain_chunks
from rag_engine.errors import ConfigurationError
from rag_engine.protocols import Tokenizer
from rag_engine.semantic_chunking.token_positions import TokenPositions
from rag_engine.types.document import Chunk, Document

SEPARATORS = ("\n\n", "\n", ".", "?", "!", " ")


class RecursiveChunker:
    """LangChain's RecursiveCharacterTextSplitter as Chroma's evaluation used it (Smith and Troynikov, 2024).

    A text that is too large is split at the first separator that it holds; neighbouring pieces are joined again
    up to the size, and a piece that is too large itself is split at the next separator. Chunks overlap by whole
    pieces. Two things differ from the original: a separator stays with what precedes it, where LangChain begins the
    next chunk with it, and what holds no separator is cut between tokens, where LangChain cuts between characters.
    """

    def __init__(self, *, tokenizer: Tokenizer, chunk_tokens: int, overlap_tokens: int = 0) -> None:
        """Raises ConfigurationError where a chunk holds no text or does not outgrow the overlap.

        Args:
            tokenizer: the embedder's own.
            chunk_tokens: largest size of a chunk, special tokens included.
            overlap_tokens: largest part of a chunk that is in the one before too.
        """
        self._room = chunk_tokens - tokenizer.special_tokens
        if self._room < 1 or not 0 <= overlap_tokens < self._room:
            raise ConfigurationError(
                f"a chunk of {chunk_tokens} tokens cannot overlap the one before by {overlap_tokens}",
                hint=f"give an overlap from 0 to under the size less its {tokenizer.special_tokens} special tokens",
            )
        self._tokenizer = tokenizer
        self._most = chunk_tokens
        self._overlap = overlap_tokens
        self._identity = f"recursive/1 tokens={chunk_tokens} overlap={overlap_tokens} tokenizer={tokenizer.name}"

    @property
    def identity(self) -> str:
        """Name, version and settings; chunks of two chunkers of one identity are equal."""
        return self._identity

    def chunk(self, document: Document) -> list[Chunk]:
        """Chunks in order of their start; empty where the text holds nothing but white space."""
        return plain_chunks(document.text, self.spans(document.text), self._tokenizer, most_tokens=self._most)

    def spans(self, text: str) -> list[Span]:
        """Spans of the chunks, the white space around them included; without overlap, they cover the text."""
        if not text:
            return []
        return list(self._split(text, TokenPositions(self._tokenizer, text), 0, len(text), 0))

    def _split(self, text: str, positions: TokenPositions, start: int, end: int, level: int) -> Iterator[Span]:
        while level < len(SEPARATORS) and text.find(SEPARATORS[level], start, end) < 0:
            level += 1
        edges = _edges(text, positions, start, end, level)
        ranks: list[int] = positions.starts.searchsorted(edges).tolist()
        first = 0  # the pieces from here to the present one are waiting to be joined
        for piece, (before, after) in enumerate(pairwise(ranks)):
            if after - before > self._room and level < len(SEPARATORS):
                if first < piece:
                    yield edges[first], edges[piece]
                yield from self._split(text, positions, edges[piece], edges[piece + 1], level + 1)
                first = piece + 1
            elif first < piece and after - ranks[first] > self._room:
                yield edges[first], edges[piece]
                while first < piece and (before - ranks[first] > self._overlap or after - ranks[first] > self._room):
                    first += 1
        if first < len(edges) - 1:
            yield edges[first], edges[-1]


def _edges(text: str, positions: TokenPositions, start: int, end: int, level: int) -> list[int]:
    """Where the pieces of [start, end) begin, and the end of the last."""
    if level == len(SEPARATORS):
        first, last = positions.starts.searchsorted([start + 1, end])
        return [start, *dict.fromkeys(positions.starts[first:last].tolist()), end]
    separator = SEPARATORS[level]
    edges = [start]
    found = text.find(separator, start, end)
    while found >= 0:
        edges.append(found + len(separator))
        found = text.find(separator, edges[-1], end)
    return edges if edges[-1] == end else [*edges, end]
