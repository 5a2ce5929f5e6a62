"""What our chunker costs: seconds a megabyte for many kinds of text, growth, and its share of an ingest.

    python -m benchmarks.chunking.speed [--growth 1 10 100] [--corpus CORPUS]

Each figure comes from a process of its own, on one core: the chunker is warm, and the fastest of ``--repeats`` runs
counts. Growth is one document of 1, 10 and 100 megabytes, with the peak memory of the process. The share of an ingest
is the chunker's own seconds for a corpus, on one core, over those of the whole ingest of it with the default model;
beside it stands what the ingest waited for chunking, which other processes do meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.chunking.sample_texts import MEGABYTE, generated, headings, prose, table
from benchmarks.corpus import read_documents
from benchmarks.process_tree import run_measured
from benchmarks.runner import REPOSITORY
from rag_engine.assembly import Assembly
from rag_engine.config import Settings
from rag_engine.engine import Engine
from rag_engine.types.document import Document

SEED = 5
TABLE_ROWS = 100_000
HEADINGS = 10_000
INGESTED_MEGABYTES = 4
TIMEOUT_SECONDS = 1800.0


def main() -> None:
    """Prints one JSON object."""
    options = _parser().parse_args()
    if options.step:
        print(json.dumps(_STEPS[options.step](options)))
        return
    kinds = {}
    for name in (*MEGABYTE, "table", "headings"):
        print(f"{name} ...", file=sys.stderr, flush=True)
        kinds[name] = _in_own_process("kind", "--name", name, "--repeats", str(options.repeats))
    growth = {}
    for megabytes in options.growth:
        print(f"{megabytes} MB ...", file=sys.stderr, flush=True)
        growth[f"{megabytes:g}"] = _in_own_process("growth", "--name", str(megabytes))
    print("ingest ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="rag-chunking-") as folder:
        corpus = str(options.corpus or _written(Path(folder) / "corpus.jsonl"))
        cut = _in_own_process("cut", "--corpus", corpus)
        ingest = _in_own_process("ingest", "--corpus", corpus)
    slowest = max(kinds, key=lambda name: kinds[name]["seconds_per_megabyte"])
    paces = [size["processor_seconds_per_megabyte"] for size in growth.values()]
    print(
        json.dumps(
            {
                "kinds": kinds,
                "slowest": {"kind": slowest} | kinds[slowest],
                "growth": growth,
                "growth_of_pace": round(paces[-1] / paces[0], 3) if paces else None,
                "ingest": ingest
                | {
                    "chunk_seconds": cut["seconds"],
                    "chunk_share": round(cut["seconds"] / ingest["seconds"], 4),
                },
            }
        )
    )


def _in_own_process(step: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.chunking.speed", "--step", step, *arguments]
    finished = run_measured(command, folder=REPOSITORY, timeout=TIMEOUT_SECONDS)
    report: dict[str, Any] = json.loads(finished.stdout)
    return report | {"peak_megabytes": round(finished.peak_bytes / 1e6)}


def _text(name: str) -> str:
    generator = random.Random(SEED)
    if name == "table":
        return table(TABLE_ROWS, generator)
    if name == "headings":
        return headings(HEADINGS, generator)
    return MEGABYTE[name](1_000_000, generator)


def _on_one_core() -> None:
    """Before anything has started a thread: the tokenizer would take all cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _kind(options: argparse.Namespace) -> dict[str, Any]:
    return _timed([Document("d", _text(options.name))], options.repeats)


def _growth(options: argparse.Namespace) -> dict[str, Any]:
    return _timed([Document("d", generated(int(float(options.name) * 1e6), random.Random(SEED)))], 1)


def _cut(options: argparse.Namespace) -> dict[str, Any]:
    return _timed(read_documents(options.corpus), 1)


def _timed(documents: Sequence[Document], repeats: int) -> dict[str, Any]:
    _on_one_core()
    with tempfile.TemporaryDirectory(prefix="rag-chunking-") as folder:
        assembly = Assembly(Path(folder) / "index", settings=Settings(), create=True)
        chunker = assembly.chunker
        chunker.chunk(Document("warm", "What is loaded once is no part of it. " * 20))
        took, worked = [], []
        for _ in range(repeats):
            began, begun = time.perf_counter(), time.process_time()
            chunks = sum(len(chunker.chunk(document)) for document in documents)
            took.append(time.perf_counter() - began)
            worked.append(time.process_time() - begun)
        assembly.index.close()
    megabytes = sum(len(document.text.encode()) for document in documents) / 1e6
    return {
        "megabytes": round(megabytes, 3),
        "chunks": chunks,
        "seconds": round(min(took), 3),
        "seconds_per_megabyte": round(min(took) / megabytes, 3),
        # Beside other work on the machine, this is what wall time would be without it.
        "processor_seconds_per_megabyte": round(min(worked) / megabytes, 3),
    }


def _ingest(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="rag-chunking-") as folder:
        assembly = Assembly(Path(folder) / "index", settings=Settings(), create=True)
        assembly.embedder.embed(["warm"])
        with Engine(assembly) as engine:
            report = engine.ingest(options.corpus)
    if report.failures:
        raise SystemExit(f"{report.failures[0].source}: {report.failures[0].error}")
    return {
        "documents": report.documents.added,
        "chunks": report.chunks.total,
        "seconds": round(report.seconds, 2),
        "waited_share": round(report.stages.get("chunk", 0.0) / report.seconds, 4),
        "stages": {stage: round(seconds, 2) for stage, seconds in report.stages.items()},
    }


_STEPS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "kind": _kind,
    "growth": _growth,
    "cut": _cut,
    "ingest": _ingest,
}


def _written(file: Path) -> Path:
    """A corpus of the handbook's paragraphs, six a document; their titles tell apart texts that are equal, which
    would be embedded once."""
    paragraphs = prose(INGESTED_MEGABYTES * 1_000_000, random.Random(SEED)).split("\n\n")
    with file.open("w", encoding="utf-8") as lines:
        for number, first in enumerate(range(0, len(paragraphs), 6)):
            text = "\n\n".join(paragraphs[first : first + 6])
            lines.write(json.dumps({"_id": f"document-{number}", "title": f"Document {number}", "text": text}) + "\n")
    return file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--growth", type=float, nargs="*", default=[1, 10, 100], metavar="MEGABYTES")
    parser.add_argument("--corpus", type=Path, help="JSON Lines to ingest; default: made from the handbook")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--step", choices=tuple(_STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
