"""One chunker on one set: what it cuts, what that costs, and what is found of the gold."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from benchmarks.chunking.contenders import baseline, is_own, own_settings, own_share, own_similarity
from benchmarks.chunking.engine_run import run_engine
from benchmarks.chunking.measures import at_equal_reading, omega, recall_curve, retrieval_measures
from benchmarks.chunking.remembering import RememberingEmbedder
from benchmarks.chunking.retrieval import CutDocument, retrieve
from benchmarks.chunking.span_set import SpanSet
from rag_engine.evaluation.span_measures import CharacterSpan
from rag_engine.protocols import Chunker, Tokenizer
from rag_engine.types.document import Document
from rag_engine.types.retrieval import SearchMode


def compare(
    name: str, gold: SpanSet, embedder: RememberingEmbedder, modes: Sequence[SearchMode], *, few: int, most: int
) -> dict[str, Any]:
    """Figures of the chunker ``name``: of its chunks, and for each mode of the first ``few`` chunks for each question,
    with the curve up to ``most`` (0: without).

    A baseline's chunks are retrieved as the engine does it; the engine's own rows go through the engine itself.

    Raises:
        UsageError: no chunker has this name, or it refuses its sizes.
    """
    if is_own(name):
        run = run_engine(
            gold.documents,
            gold.questions,
            embedder,
            modes,
            settings=own_settings(name),
            similarity=own_similarity(name),
            share=own_share(name),
            few=few,
            most=most,
        )
        found = run.found
        cut, seconds = _cut(gold.documents, run.chunker, embedder)
    else:
        cut, seconds = _cut(gold.documents, baseline(name, embedder), embedder)
        found = retrieve(cut, gold.questions, embedder, modes, few=few, most=most)
    embed_seconds = _charge(embedder, [chunk.embedded_text for _, chunks in cut for chunk in chunks])
    spans = [CharacterSpan(document.id, chunk.start, chunk.end) for document, chunks in cut for chunk in chunks]
    read = [span for way in found.values() for spans_of in (*way.few, *way.many) for span in spans_of]
    tokens = _ReaderTokens(gold.documents, embedder.tokenizer, [*spans, *read])
    by_mode = {}
    for mode, way in found.items():
        by_mode[mode.value] = retrieval_measures(way.few, gold.references, tokens.of)
        if most:
            curve = recall_curve(way.many, gold.references, tokens.of, most=most)
            by_mode[mode.value] |= {**at_equal_reading(curve), "curve": curve}
    return {
        **_of_chunks(cut, spans, tokens, window=embedder.identity.max_tokens),
        "chunk_seconds_per_megabyte": round(seconds / gold.megabytes, 3),
        "embed_seconds": round(embed_seconds, 1),
        "precision_omega": omega(spans, gold.references),
        "modes": by_mode,
    }


def _cut(
    documents: Sequence[Document], chunker: Chunker, embedder: RememberingEmbedder
) -> tuple[list[CutDocument], float]:
    """All chunks, and the seconds that this took in this process, with what a chunker that embeds spends on that."""
    chunker.chunk(Document("warm", "What is loaded once is no part of it. " * 20))
    spent, charged, began = embedder.spent, embedder.charged, time.perf_counter()
    cut = [CutDocument(document, chunker.chunk(document)) for document in documents]
    wall = time.perf_counter() - began
    return cut, wall - (embedder.spent - spent) + (embedder.charged - charged)


def _charge(embedder: RememberingEmbedder, texts: Sequence[str]) -> float:
    charged = embedder.charged
    embedder.embed(texts)
    return embedder.charged - charged


def _of_chunks(
    cut: Sequence[CutDocument], spans: Sequence[CharacterSpan], tokens: _ReaderTokens, *, window: int
) -> dict[str, Any]:
    embedded = [chunk.tokens for _, chunks in cut for chunk in chunks]
    beyond = [count - window for count in embedded if count > window]
    return {
        "chunks": len(spans),
        "characters": round(fmean(span.end - span.start for span in spans)),
        "tokens": round(fmean(map(tokens.of, spans)), 1),
        # What the embedder does not read: it cuts a text at its window, and says nothing.
        "over_window": {
            "chunks": round(len(beyond) / len(embedded), 4),
            "tokens": round(sum(beyond) / sum(embedded), 4),
        },
    }


class _ReaderTokens:
    """Tokens of spans as whoever reads them counts: the text alone, without special tokens."""

    def __init__(self, documents: Iterable[Document], tokenizer: Tokenizer, spans: Iterable[CharacterSpan]) -> None:
        """Counts ``spans``, all at once."""
        texts = {document.id: document.text for document in documents}
        distinct = list(dict.fromkeys(spans))
        counts = tokenizer.count([texts[span.document][span.start : span.end] for span in distinct])
        special = tokenizer.special_tokens
        self._counts = {span: count - special for span, count in zip(distinct, counts, strict=True)}

    def of(self, span: CharacterSpan) -> int:
        """Tokens of a span that was counted."""
        return self._counts[span]
