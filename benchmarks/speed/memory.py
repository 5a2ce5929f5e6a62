"""Peak memory of ingests of growing corpora: flat, whatever the corpus.

    python -m benchmarks.speed.memory [--chunks 10000 100000 1000000] [--work FOLDER]

A hashing embedder stands for the model, whose memory is the same for every corpus: what is measured is the pipeline,
all its processes together.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.process_tree import run_measured
from benchmarks.runner import REPOSITORY
from benchmarks.speed.generated_text import sentence
from rag_engine.index import Index
from rag_engine.ingestion import Sandbox, loader_versions
from rag_engine.jobs.ingest import IngestJob
from rag_engine.semantic_chunking import StructuralChunker
from rag_engine.types.ingestion import LoadLimits

DIMENSION = 384
WINDOW_TOKENS = 256
TIMEOUT_SECONDS = 3600.0
# About what a chunk of WINDOW_TOKENS holds of such sentences, as the report's count of chunks shows.
SENTENCES_OF_A_CHUNK = 8
CHUNKS_OF_A_DOCUMENT = 4
DOCUMENTS_OF_A_FILE = 2_500
# Sentences are drawn from so many: quickly written, and hardly two documents alike.
SENTENCES = 20_000


def main() -> None:
    """Prints one JSON object."""
    options = _parser().parse_args()
    if options.step:
        print(json.dumps(_ingest(options.work)))
        return
    sizes = {}
    for chunks in options.chunks:
        print(f"{chunks} chunks ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="rag-memory-", dir=options.work) as work:
            sizes[str(chunks)] = _measured(chunks, Path(work))
    first, last = sizes[str(min(options.chunks))], sizes[str(max(options.chunks))]
    peaks = {"peak_megabytes": max(size["peak_megabytes"] for size in sizes.values())}
    growth = {"growth": round(last["peak_anonymous_megabytes"] / first["peak_anonymous_megabytes"], 3)}
    print(json.dumps({"sizes": sizes} | peaks | growth))


def _measured(chunks: int, work: Path) -> dict[str, Any]:
    megabytes = _write(work / "sources", chunks) / 1e6
    command = [sys.executable, "-m", "benchmarks.speed.memory", "--work", str(work), "--step", "ingest"]
    finished = run_measured(command, folder=REPOSITORY, timeout=TIMEOUT_SECONDS)
    report = json.loads(finished.stdout)
    return report | {
        "text_megabytes": round(megabytes, 1),
        "seconds": round(finished.seconds, 1),
        "peak_megabytes": round(finished.peak_bytes / 1e6),
        "peak_anonymous_megabytes": round(finished.peak_anonymous_bytes / 1e6),
    }


def _ingest(work: Path) -> dict[str, Any]:
    embedder = HashingEmbedder(dimension=DIMENSION, max_tokens=WINDOW_TOKENS)
    index = Index.open(work / "index", create=True)
    job = IngestJob(
        index=index,
        chunker=StructuralChunker(tokenizer=embedder.tokenizer, max_tokens=WINDOW_TOKENS, target_tokens=WINDOW_TOKENS),
        embedder=embedder,
        make_sandbox=lambda: Sandbox(
            timeout_seconds=60, memory_megabytes=2048, max_file_bytes=1 << 30, limits=LoadLimits(10**7)
        ),
        loader_versions=loader_versions(),
    )
    report = job.ingest_paths([work / "sources"])
    index.close()
    if report.failures:
        raise SystemExit(f"{report.failures[0].source}: {report.failures[0].error}")
    return {"documents": report.documents.added, "chunks": report.chunks.total}


def _write(folder: Path, chunks: int) -> int:
    """JSON Lines files with the text of so many chunks. Returns the bytes written."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    written, documents = 0, _documents(chunks)
    for number, batch in enumerate(iter(lambda: "".join(_taken(documents)), "")):
        written += (folder / f"part-{number}.jsonl").write_text(batch, encoding="utf-8")
    return written


def _taken(documents: Iterator[str]) -> Iterator[str]:
    for line, _ in zip(documents, range(DOCUMENTS_OF_A_FILE), strict=False):
        yield line


def _documents(chunks: int) -> Iterator[str]:
    generator = random.Random(chunks)
    sentences = [sentence(generator) for _ in range(SENTENCES)]
    for number, start in enumerate(range(0, chunks, CHUNKS_OF_A_DOCUMENT)):
        paragraphs = [
            " ".join(generator.choices(sentences, k=SENTENCES_OF_A_CHUNK))
            for _ in range(min(CHUNKS_OF_A_DOCUMENT, chunks - start))
        ]
        yield json.dumps({"_id": f"document-{number}", "text": "\n\n".join(paragraphs)}) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--work", type=Path, help="folder with room for the largest: 5 kB a chunk")
    parser.add_argument("--step", choices=("ingest",), help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
