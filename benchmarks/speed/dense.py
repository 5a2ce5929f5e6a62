"""Dense search on the index's own terms: how many vectors all may be compared of, and what codes cost and find.

    python -m benchmarks.speed.dense [--vectors 5000 10000 20000 50000 200000 1000000] [--corpus CORPUS] [--work FOLDER]

The corpus is embedded once; beyond it, vectors lie between real ones, off the line by noise. Both ways search the same
files with the same embedded questions, one question at a time, by turns. Recall is against the exact search.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.speed.grown_index import RealChunks, moved_vectors, questions_beside, real_chunks
from benchmarks.speed.growth import DEFAULT_CORPUS, DEFAULT_WORK
from rag_engine.embedding import DEFAULT_MODEL, default_cache, find_model, open_embedder
from rag_engine.index.dense import Compression, FaissIndex

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors

QUESTIONS = 200
WARM_UP = 5
DEPTH = 100
K = 10
PORTION = 50_000
EXACT_ONLY = 1 << 60


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, nargs="+", default=[5_000, 10_000, 20_000, 50_000, 200_000, 1_000_000])
    parser.add_argument("--corpus", type=Path, default=DEFAULT_CORPUS, help="corpus.jsonl of a gold set")
    parser.add_argument("--work", type=Path, default=DEFAULT_WORK)
    options = parser.parse_args()
    real = real_chunks(options.corpus, options.work / "real")
    embedder = open_embedder(find_model(DEFAULT_MODEL), runtime="auto", cache=default_cache(), batch_size=32)
    questions = embedder.embed_queries(questions_beside(options.corpus, QUESTIONS + WARM_UP))
    folder = options.work / "dense"
    try:
        sizes = {str(count): compare(folder, count, real, questions) for count in options.vectors}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({"sizes": sizes}))


def compare(folder: Path, count: int, real: RealChunks, questions: Vectors) -> dict[str, Any]:
    """Figures of one size: seconds to build, milliseconds of both ways, and the recall of the compressed one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    started = time.perf_counter()
    built = FaissIndex(real.vectors.shape[1], folder=folder / "index", compression=Compression(exact_up_to=0))
    for first in range(0, count, PORTION):
        numbers = np.arange(first, min(first + PORTION, count), dtype=np.int64)
        built.add(numbers, moved_vectors(numbers, real))
        built.flush()
    vectors_made = time.perf_counter()
    built.save(commit=1)
    saved = time.perf_counter()
    ways = {
        "exact": FaissIndex.open(folder / "index", index_id="", compression=Compression(exact_up_to=EXACT_ONLY)),
        "compressed": FaissIndex.open(folder / "index", index_id="", compression=Compression(exact_up_to=0)),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    shared = []
    for position, question in enumerate(questions):
        found = {}
        for name in sorted(ways, reverse=bool(position % 2)):
            begun = time.perf_counter()
            found[name] = [hit.chunk for hit in ways[name].search(question, DEPTH)]
            times[name].append((time.perf_counter() - begun) * 1000)
        shared.append(len(set(found["exact"][:K]) & set(found["compressed"][:K])) / K)
    state = ways["compressed"].state()
    return {
        "vectors_seconds": round(vectors_made - started, 2),
        "codes_and_recall_seconds": round(saved - vectors_made, 2),
        **{f"{name}_p50_milliseconds": round(statistics.median(taken[WARM_UP:]), 3) for name, taken in times.items()},
        "candidates": state.candidates,
        "recall_of_own_vectors": state.recall,
        "recall_of_questions": round(float(np.mean(shared)), 4),
        "megabytes": round(state.bytes / 1e6, 1),
    }


if __name__ == "__main__":
    main()
