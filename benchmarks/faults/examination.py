"""What a killed ingest left behind, checked against what it had reported and what the folder says."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults.corpus import COMMON_WORD
from benchmarks.faults.victim import chunker_for
from rag_engine.index import CATALOG_NAME, Index, embedding_key
from rag_engine.protocols import Embedder

QUESTIONS = ("refund payment deadline", "turbine bearing pressure", "citation of evidence", "router fallback latency")


@dataclass(slots=True)
class Faults:
    """How many documents were lost, doubled, half there or unlike a fresh ingest's, and how many ingests could
    not go on; the first ones in words."""

    lost: int = 0
    doubled: int = 0
    half: int = 0
    different: int = 0
    stuck: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, kind: str, example: str) -> None:
        """Counts a fault."""
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.examples) < 10:
            self.examples.append(f"{kind}: {example}")


def examine_survivor(
    folder: Path,
    faults: Faults,
    *,
    embedder: Embedder,
    reported: Mapping[str, str],
    reported_commit: int,
    before: Mapping[str, str],
    expected: Mapping[str, str],
) -> dict[str, str]:
    """Notes what is lost, doubled or half in the index that a kill left in ``folder``.

    ``reported`` are the documents that were in at the last report, ``before`` those at the start, ``expected``
    those that the folder holds, each with the SHA-256 of its text. Returns those that are in now.
    """
    with closing(Index.open(folder)) as index:
        held = {document.id: document for document, _ in index.catalog.documents()}
        texts = {identifier: _sha256(document.text) for identifier, document in held.items()}
        if index.catalog.commit_number() < reported_commit:
            faults.note("lost", f"commit {reported_commit}, at {index.catalog.commit_number()} now")
        for problem in index.catalog.integrity_findings():
            faults.note("half", problem)
    for identifier, digest in reported.items():
        # A commit that could not be reported any more may have brought it to what the folder says.
        if texts.get(identifier) not in (digest, expected.get(identifier)):
            faults.note("lost", identifier)
    for identifier, digest in texts.items():
        if digest not in (before.get(identifier), reported.get(identifier), expected.get(identifier)):
            faults.note("half", f"{identifier} has a text that it never had")
    _examine_chunks(folder / CATALOG_NAME, held, faults, embedder)
    return texts


def _examine_chunks(catalog: Path, held: Mapping[str, Any], faults: Faults, embedder: Embedder) -> None:
    chunker = chunker_for(embedder)
    with closing(sqlite3.connect(f"{catalog.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        ids = Counter(row[0] for row in connection.execute("select id from documents"))
        for identifier, count in ids.items():
            if count > 1:
                faults.note("doubled", identifier)
        rows = connection.execute(
            "select documents.id, documents.text_digest, chunks.start, chunks.end, vectors.key, vectors.vector "
            "from documents left join chunks on chunks.document = documents.number "
            "left join vectors on vectors.number = chunks.vector order by documents.number, chunks.ordinal"
        ).fetchall()
        unused = "select count(*) from vectors where number not in (select vector from chunks)"
        if connection.execute(unused).fetchone()[0]:
            faults.note("half", "vectors without chunks")
    stored: dict[str, list[tuple[Any, ...]]] = {}
    for identifier, digest, *chunk in rows:
        if _sha256(held[identifier].text) != digest:
            faults.note("half", f"{identifier} does not have its digest")
        stored.setdefault(identifier, []).append(tuple(chunk))
    for identifier, chunks in stored.items():
        wanted = chunker.chunk(held[identifier])
        spans = [(start, end) for start, end, *_ in chunks]
        if len(set(spans)) < len(spans):
            faults.note("doubled", f"chunks of {identifier}")
        if spans != [(chunk.start, chunk.end) for chunk in wanted]:
            faults.note("half", f"{identifier} has chunks {spans}")
            continue
        vectors = embedder.embed([chunk.embedded_text for chunk in wanted])
        for chunk, row, (_, _, key, vector) in zip(wanted, vectors, chunks, strict=True):
            whole = key == embedding_key(chunk.embedded_text) and len(vector) == 4 * len(row)
            if not whole or not np.allclose(np.frombuffer(vector, dtype="<f4"), row, atol=1e-5):
                faults.note("half", f"{identifier} has a chunk without its vector")


def content(folder: Path, embedder: Embedder) -> dict[str, Any]:
    """Everything of an index that must not depend on how it came about."""
    with closing(Index.open(folder)) as index, index.view(dense=True, lexical=True) as view:
        passages = view.passages(index.catalog.chunk_numbers().tolist())
        places = {number: (passage.document_id, passage.start, passage.end) for number, passage in passages.items()}
        depth = 10 * len(passages) + 10
        return {
            "documents": {document.id: document for document, _ in index.catalog.documents()},
            "chunks": sorted((places[n], passage.text, passage.heading_path) for n, passage in passages.items()),
            "dense": {
                question: {
                    places[hit.chunk]: round(hit.score, 4)
                    for hit in view.dense.search(embedder.embed_queries([question])[0], depth)
                }
                for question in QUESTIONS
            },
            # Which chunks, not their scores: BM25 counts words of removed chunks until tantivy merges these away.
            "lexical": {
                question: sorted(places[hit.chunk] for hit in view.lexical.search(question, depth))
                for question in (*QUESTIONS, COMMON_WORD)
            },
            "stretches": {
                question: sorted(places[hit.chunk] for hit in view.stretches.search(question, depth))
                for question in (*QUESTIONS, COMMON_WORD)
            },
            "sizes": (len(view.dense), len(view.lexical), len(view.stretches)),
            "near_duplicates": index.catalog.near_duplicates.pairs(),
            "sources": {
                source.path: (source.name, source.sha256, source.loader, source.same_as)
                for source in index.catalog.sources.all()
            },
        }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
