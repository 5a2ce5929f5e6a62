"""Retrieval over the chunks of a baseline, all documents in one index, as the engine does it: exact dense search,
Tantivy's BM25, and their fusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rag_engine.context_retrieval.fluency import dense_share
from rag_engine.context_retrieval.fusion import dense_weight, fuse, logit, normalized
from rag_engine.evaluation.span_measures import CharacterSpan
from rag_engine.index.caches import context_of
from rag_engine.index.lexical import TantivyIndex
from rag_engine.protocols import Embedder, LexicalEntry
from rag_engine.types.document import Chunk, Document
from rag_engine.types.retrieval import ScoredChunk, SearchMode

DEPTH = 100  # chunks that each leg brings, as retrieval.depth has it by default


class CutDocument(NamedTuple):
    """A document and its chunks."""

    document: Document
    chunks: Sequence[Chunk]


class Found(NamedTuple):
    """What each question retrieved, best first: the chunks that are scored, and those of the curve."""

    few: list[list[CharacterSpan]]
    many: list[list[CharacterSpan]]


def retrieve(
    cut: Sequence[CutDocument],
    questions: Sequence[str],
    embedder: Embedder,
    modes: Sequence[SearchMode],
    *,
    few: int,
    most: int,
) -> Mapping[SearchMode, Found]:
    """For each mode, the ``few`` and the ``most`` best chunks for each question."""
    chunks = [(document, chunk) for document, pieces in cut for chunk in pieces]
    spans = [CharacterSpan(document.id, chunk.start, chunk.end) for document, chunk in chunks]
    vectors = embedder.embed([chunk.embedded_text for _, chunk in chunks])
    lexical = TantivyIndex()
    if modes != [SearchMode.DENSE]:
        entries = (
            LexicalEntry(number, context_of(document.title, chunk.heading_path), chunk.text)
            for number, (document, chunk) in enumerate(chunks)
        )
        lexical.update(add=entries, remove=(), commit=1)
    found = {mode: Found([], []) for mode in modes}
    for question, vector in zip(questions, embedder.embed_queries(questions), strict=True):
        scores = vectors @ vector
        best = np.argsort(-scores, kind="stable")[:DEPTH]
        dense = [ScoredChunk(int(number), float(scores[number])) for number in best]
        for mode in modes:
            legs = {} if mode is SearchMode.LEXICAL else {"dense": dense}
            if mode is not SearchMode.DENSE:
                legs["lexical"] = lexical.search(question, DEPTH)
            near, worded = legs.get("dense", []), legs.get("lexical", [])
            offset = 0.0 if lexical.in_english(question) else logit(dense_share(question, embedder.tokenizer))
            share = dense_weight(near, worded, depth=DEPTH, offset=offset)
            weighted = [(share, normalized(near, DEPTH)), (1 - share, normalized(worded, DEPTH))]
            ranked = [spans[number] for number, _ in fuse(weighted, depth=DEPTH)]
            found[mode].few.append(ranked[:few])
            found[mode].many.append(ranked[:most])
    return found
