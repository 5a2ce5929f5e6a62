"""The baseline: windows of a fixed number of tokens, blind to structure."""

from __future__ import annotations

from rag_engine.errors import ConfigurationError
from rag_engine.protocols import Tokenizer
from rag_engine.semantic_chunking.token_positions import TokenPositions
from rag_engine.types.document import Chunk, Document


class FixedWindowChunker:
    """Windows of ``window_tokens``, special tokens included, each sharing ``overlap_tokens`` with the one before.

    The embedded text is the plain text: no context. Every character that is not white space lies in at least one
    chunk. A window whose text, taken out of its surroundings, has more tokens than that is halved.
    """

    def __init__(self, *, tokenizer: Tokenizer, window_tokens: int, overlap_tokens: int = 0) -> None:
        """Raises ConfigurationError where the window holds no text or does not outgrow the overlap."""
        room = window_tokens - tokenizer.special_tokens
        if room < 1 or not 0 <= overlap_tokens < room:
            raise ConfigurationError(
                f"a window of {window_tokens} tokens cannot overlap the one before by {overlap_tokens}",
                hint=f"give an overlap from 0 to under the window less its {tokenizer.special_tokens} special tokens",
            )
        self._tokenizer = tokenizer
        self._window = window_tokens
        self._room = room
        self._overlap = overlap_tokens
        self._identity = f"fixed_window/1 window={window_tokens} overlap={overlap_tokens} tokenizer={tokenizer.name}"

    @property
    def identity(self) -> str:
        """Name, version and settings; chunks of two chunkers of one identity are equal."""
        return self._identity

    def chunk(self, document: Document) -> list[Chunk]:
        """Chunks in order of their start; empty where the text holds nothing but white space."""
        spans = self._windows(document.text)
        chunks: list[Chunk] = []
        while spans:
            texts = [document.text[start:end] for start, end in spans]
            halves: list[tuple[int, int]] = []
            for (start, end), text, tokens in zip(spans, texts, self._tokenizer.count(texts), strict=True):
                stripped = text.strip()
                if not stripped:
                    continue
                if tokens > self._window and len(stripped) > 1:
                    middle = (start + end) // 2
                    halves += [(start, middle), (middle, end)]
                    continue
                begin = start + len(text) - len(text.lstrip())
                chunks.append(Chunk(0, begin, begin + len(stripped), stripped, (), stripped, tokens))
            spans = halves
        chunks.sort(key=lambda chunk: (chunk.start, chunk.end))
        return [
            Chunk(number, chunk.start, chunk.end, chunk.text, (), chunk.text, chunk.tokens)
            for number, chunk in enumerate(chunks)
        ]

    def _windows(self, text: str) -> list[tuple[int, int]]:
        starts = TokenPositions(self._tokenizer, text).starts.tolist()
        edges = [0, *starts[1:], len(text)]
        last = max(len(edges) - 1, 1)
        spans: list[tuple[int, int]] = []
        for first in range(0, last, self._room - self._overlap):
            spans.append((edges[first], edges[min(first + self._room, last)]))
            if first + self._room >= last:
                break
        return spans
