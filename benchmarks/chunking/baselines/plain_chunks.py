"""From a baseline's spans to chunks: the embedded text is the plain text, without context."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rag_engine.protocols import Tokenizer
from rag_engine.types.document import Chunk

Span = tuple[int, int]


def stripped(text: str, span: Span) -> Span:
    """The span without the white space around its text; empty where there is nothing else."""
    start, end = span
    piece = text[start:end]
    begin = start + len(piece) - len(piece.lstrip())
    return begin, max(begin, start + len(piece.rstrip()))


def plain_chunks(text: str, spans: Iterable[Span], tokenizer: Tokenizer, *, most_tokens: int | None) -> list[Chunk]:
    """Chunks of ``spans`` in order of their start, without those of white space alone.

    A text that has more than ``most_tokens``, special tokens included, once it is taken out of its surroundings is
    halved: tokenizers are not additive. None: chunks are of any size, and the embedder reads what its window holds.
    """
    chunks: list[Chunk] = []
    waiting = list(spans)
    while waiting:
        kept = [span for span in (stripped(text, span) for span in waiting) if span[0] < span[1]]
        waiting = []
        texts = [text[start:end] for start, end in kept]
        for (start, end), piece, tokens in zip(kept, texts, tokenizer.count(texts), strict=True):
            if most_tokens is not None and tokens > most_tokens and len(piece) > 1:
                middle = (start + end) // 2
                waiting += [(start, middle), (middle, end)]
            else:
                chunks.append(Chunk(0, start, end, piece, (), piece, tokens))
    chunks.sort(key=lambda chunk: (chunk.start, chunk.end))
    return [replace(chunk, ordinal=ordinal) for ordinal, chunk in enumerate(chunks)]
