"""The process that is killed: ingests a folder in small batches and says, commit by commit, what is in.

``python -m benchmarks.faults.victim INDEX SOURCES`` prints JSON lines: the stage, then for each commit its number
and the documents (id, SHA-256 of the text) that came in or went with it, each flushed once SQLite has it.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.index import CATALOG_NAME, Index
from rag_engine.ingestion import Sandbox, loader_versions
from rag_engine.jobs.ingest import IngestJob
from rag_engine.jobs.ingest_progress import ReportProgress
from rag_engine.protocols import Chunker, Embedder
from rag_engine.semantic_chunking import StructuralChunker
from rag_engine.types.ingestion import IngestProgress, LoadLimits

BATCH_CHUNKS = 8
WORKERS = 2
SMALL_CHARACTERS = 4_000  # so that nearly all is chunked by workers


def chunker_for(embedder: Embedder) -> Chunker:
    """The chunker that victims and their examiners share."""
    tokens = embedder.identity.max_tokens
    return StructuralChunker(tokenizer=embedder.tokenizer, max_tokens=tokens, target_tokens=tokens)


def ingest_job(index: Index, embedder: Embedder, *, progress: ReportProgress = lambda _: None) -> IngestJob:
    """An ingest with many commits and several workers."""
    return IngestJob(
        index=index,
        chunker=chunker_for(embedder),
        embedder=embedder,
        make_sandbox=lambda: Sandbox(
            timeout_seconds=60, memory_megabytes=2048, max_file_bytes=1 << 30, limits=LoadLimits(10**7)
        ),
        loader_versions=loader_versions(),
        batch_chunks=BATCH_CHUNKS,
        workers=WORKERS,
        small_characters=SMALL_CHARACTERS,
        progress=progress,
    )


def stored_texts(catalog: Path) -> dict[str, str]:
    """SHA-256 of each stored text, by document, read past the engine."""
    with closing(sqlite3.connect(f"{catalog.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return dict(connection.execute("select id, text_digest from documents"))


def main(index_folder: Path, sources: Path) -> None:
    """Ingests ``sources`` and prints what is committed."""
    _say(stage="open")
    index = Index.open(index_folder, create=True)
    known = stored_texts(index_folder / CATALOG_NAME)
    commit, stage = -1, ""

    def report(progress: IngestProgress) -> None:
        nonlocal known, commit, stage
        if progress.stage != stage:
            stage = progress.stage
            _say(stage=stage)
        if progress.commit != commit:
            commit = progress.commit
            now = stored_texts(index_folder / CATALOG_NAME)
            came = {identifier: digest for identifier, digest in now.items() if known.get(identifier) != digest}
            _say(commit=commit, came=came, went=sorted(known.keys() - now.keys()))
            known = now

    ingest_job(index, HashingEmbedder(), progress=report).ingest_paths([sources])
    index.close()


def _say(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
