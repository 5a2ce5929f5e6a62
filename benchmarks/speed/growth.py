"""Indexes from a thousand chunks to a million: time to build, search latency, memory, disk.

    python -m benchmarks.speed.growth --chunks 1000 10000 100000 1000000 [--corpus CORPUS] [--work FOLDER]

The corpus is embedded once. Beyond it, texts are the real ones with one word in eight exchanged, and vectors lie
between real ones, off the line by noise. Every index is searched by a process of its own. ``stages`` are those of
all three modes together.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.process_tree import memory_of, run_measured
from benchmarks.runner import REPOSITORY
from benchmarks.speed.grown_index import build, questions_beside, real_chunks
from rag_engine import Engine, tracing

QUESTIONS = 200
WARM_UP = 5
MODES = ("dense", "lexical", "hybrid")
DEFAULT_CORPUS = REPOSITORY.parent / "shared" / "gold" / "scifact" / "corpus.jsonl"
DEFAULT_WORK = REPOSITORY / "benchmarks" / "results" / "growth"


def main() -> None:
    """Prints one JSON object."""
    options = _parser().parse_args()
    if options.step:
        step: Callable[[argparse.Namespace], dict[str, Any]] = {"build": _build, "search": _search}[options.step]
        print(json.dumps(step(options)))
        return
    sizes = {}
    for chunks in options.chunks:
        print(f"{chunks} chunks ...", file=sys.stderr, flush=True)
        sizes[str(chunks)] = _measured(options, chunks)
    print(json.dumps({"sizes": sizes}))


def _measured(options: argparse.Namespace, chunks: int) -> dict[str, Any]:
    folder = options.work.resolve() / f"chunks-{chunks}"
    command = [sys.executable, "-m", "benchmarks.speed.growth", "--chunks", str(chunks)]
    command += ["--corpus", str(options.corpus.resolve()), "--work", str(options.work.resolve()), "--step"]
    real_chunks(options.corpus, options.work / "real")  # not counted with the first build
    built = run_measured([*command, "build"], folder=REPOSITORY)
    found = run_measured([*command, "search"], folder=REPOSITORY)
    figures = json.loads(built.stdout) | json.loads(found.stdout)
    on_disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    raw = chunks * figures.pop("dimension") * 4
    if not options.keep:
        shutil.rmtree(folder)
    return figures | {
        "build_peak_megabytes": round(built.peak_bytes / 1e6),
        "disk_megabytes": round(on_disk / 1e6, 1),
        "disk_over_raw_vectors": round(on_disk / raw, 2),
    }


def _build(options: argparse.Namespace) -> dict[str, Any]:
    chunks = options.chunks[0]
    real = real_chunks(options.corpus, options.work / "real")
    built = build(options.work / f"chunks-{chunks}", chunks, real)
    return {
        "catalog_seconds": round(built.catalog_seconds, 2),
        "caches_seconds": round(built.caches_seconds, 2),
        "dimension": real.vectors.shape[1],
    }


def _search(options: argparse.Namespace) -> dict[str, Any]:
    questions = questions_beside(options.corpus, QUESTIONS + WARM_UP)
    times: dict[str, list[float]] = {mode: [] for mode in MODES}
    started = time.perf_counter()
    with Engine.open(options.work / f"chunks-{options.chunks[0]}", create=False) as engine:
        for position, question in enumerate(questions):
            # The engine remembers a question's vector: each mode is asked other words.
            for mode in MODES:
                begun = time.perf_counter()
                engine.search(f"{question} {mode}", mode=mode)
                times[mode].append((time.perf_counter() - begun) * 1000)
            if position == 0:
                opened = time.perf_counter() - started
        memory = memory_of(os.getpid())
    figures: dict[str, Any] = {"open_seconds": round(opened, 2)}
    for mode, taken in times.items():
        counted = sorted(taken[WARM_UP:])
        figures[mode] = {
            "p50_milliseconds": round(statistics.median(counted), 2),
            "p95_milliseconds": round(counted[int(0.95 * (len(counted) - 1))], 2),
        }
    figures["stages"] = {
        stage.name.replace(" ", "_"): {
            "p50_milliseconds": round(1000 * stage.p50, 2),
            "p95_milliseconds": round(1000 * stage.p95, 2),
        }
        for stage in tracing.performance.report()
        if stage.count >= QUESTIONS
    }
    return figures | {
        "anonymous_megabytes": round(memory.anonymous / 1e6),
        "file_backed_megabytes": round(memory.file_backed / 1e6),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--corpus", type=Path, default=DEFAULT_CORPUS, help="corpus.jsonl of a gold set")
    parser.add_argument("--work", type=Path, default=DEFAULT_WORK)
    parser.add_argument("--keep", action="store_true", help="leave the indexes where they are")
    parser.add_argument("--step", choices=("build", "search"), help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
