"""What a user of the engine gets: documents through ``Engine.ingest``, questions through ``Engine.search``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.chunking.retrieval import Found
from rag_engine.assembly import Assembly
from rag_engine.config import Settings
from rag_engine.context_retrieval import drawn_on
from rag_engine.engine import Engine
from rag_engine.evaluation.span_measures import CharacterSpan
from rag_engine.protocols import Chunker, Embedder
from rag_engine.semantic_chunking import StructuralChunker
from rag_engine.types.document import Document
from rag_engine.types.retrieval import SearchMode


class EngineRun(NamedTuple):
    """The chunker that the engine cut with, and what it found in each mode."""

    chunker: Chunker
    found: Mapping[SearchMode, Found]


def run_engine(
    documents: Sequence[Document],
    questions: Sequence[str],
    embedder: Embedder,
    modes: Sequence[SearchMode],
    *,
    settings: Settings,
    similarity: bool,
    share: float,
    few: int,
    most: int,
) -> EngineRun:
    """Ingests into a new index and searches for ``few`` and, where it is more, for ``most`` passages.

    Without ``similarity``, structure alone decides where a text is cut. Only passages of at least ``share`` of the best
    one's score count. ``embedder`` stands for the model of the settings, which it must hold: so its vectors are
    computed once for all rows.
    """
    with tempfile.TemporaryDirectory(prefix="rag-chunking-") as folder:
        assembly = Assembly(Path(folder) / "index", settings=settings, create=True)
        assembly.embedder = embedder
        if not similarity:
            assembly.chunker = StructuralChunker(
                tokenizer=embedder.tokenizer,
                max_tokens=embedder.identity.max_tokens,
                target_tokens=settings.chunking.target_tokens,
            )
        with Engine(assembly) as engine:
            engine.ingest(documents)
            found = {}
            for mode in modes:
                search = partial(_search, engine, mode=mode, share=share)
                first = [search(question, few) for question in questions]
                more = first if most <= few else [search(question, most) for question in questions]
                found[mode] = Found(first, more)
        return EngineRun(assembly.chunker, found)


def _search(engine: Engine, question: str, count: int, *, mode: SearchMode, share: float) -> list[CharacterSpan]:
    passages = drawn_on(engine.search(question, k=count, mode=mode), least_share=share)
    return [CharacterSpan(passage.document_id, passage.start, passage.end) for passage in passages]
