"""Each way of running the embedding model, beside sentence-transformers: throughput, latency, fidelity, memory.

    python -m benchmarks.speed.embedding CORPUS.jsonl [--chunks 512] [--rounds 3]

Every way runs in a process of its own; rounds are interleaved, so that a noisy machine is noisy for all.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpus import read_documents
from rag_engine.embedding import DEFAULT_MODEL, default_cache, find_model, open_embedder
from rag_engine.embedding.compiled import RUNTIMES
from rag_engine.semantic_chunking import StructuralChunker
from rag_engine.token_counter import ModelTokenizer

ORIGINAL = "sentence-transformers"
QUESTIONS = 100


def chunks_of(corpus: Path, count: int) -> list[str]:
    """Texts as they are embedded: chunks of the first documents."""
    files = find_model(DEFAULT_MODEL)
    tokenizer = ModelTokenizer(files.folder / "tokenizer.json", name=files.name)
    chunker = StructuralChunker(tokenizer=tokenizer, max_tokens=256, target_tokens=256)
    texts: list[str] = []
    for document in read_documents(corpus):
        texts += [chunk.embedded_text for chunk in chunker.chunk(document)]
        if len(texts) >= count:
            break
    return texts[:count]


def measure(runtime: str, texts: list[str], vectors_file: Path) -> dict[str, float]:
    """One way, in this process."""
    started = time.perf_counter()
    embedder = open_embedder(find_model(DEFAULT_MODEL), runtime=runtime, cache=default_cache(), batch_size=32)
    embedder.embed_queries(["a first question"])
    first = time.perf_counter() - started
    embedder.embed(texts[:16])
    started = time.perf_counter()
    vectors = embedder.embed(texts)
    seconds = time.perf_counter() - started
    np.save(vectors_file, vectors)
    questions = [" ".join(text.split()[:12]) for text in texts[:QUESTIONS]]
    embedder.embed_queries(questions)
    latencies = []
    for question in questions:
        started = time.perf_counter()
        embedder.embed_queries([question])
        latencies.append(1000 * (time.perf_counter() - started))
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return {
        "chunks_per_second": len(texts) / seconds,
        "question_p50_milliseconds": statistics.median(latencies),
        "question_p95_milliseconds": float(np.percentile(latencies, 95)),
        "first_question_seconds": first,
        "peak_megabytes": int(status.split("VmHWM:")[1].split()[0]) / 1024,
    }


def main() -> None:
    """Prints JSON: for each way the medians over the rounds, and the ratio to sentence-transformers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--chunks", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("RUNTIME", "VECTORS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    texts = chunks_of(options.corpus, options.chunks)
    if options.one:
        print(json.dumps(measure(options.one[0], texts, Path(options.one[1]))))
        return
    ways = (ORIGINAL, *RUNTIMES)
    for way in RUNTIMES:  # compiled before anything is timed
        open_embedder(find_model(DEFAULT_MODEL), runtime=way, cache=default_cache(), batch_size=32)
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as folder:
        vectors = {way: Path(folder) / f"{way}.npy" for way in ways}
        for _ in range(options.rounds):
            for way in ways:
                command = [sys.executable, "-m", "benchmarks.speed.embedding", str(options.corpus)]
                command += ["--chunks", str(options.chunks), "--one", way, str(vectors[way])]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                found[way].append(json.loads(done.stdout.splitlines()[-1]))
        original = np.load(vectors[ORIGINAL])
        rows: dict[str, Any] = {}
        for way in ways:
            row = {key: round(statistics.median(one[key] for one in found[way]), 3) for key in found[way][0]}
            cosines = (np.load(vectors[way]) * original).sum(axis=1)
            rows[way] = row | {
                "mean_cosine": round(float(cosines.mean()), 4),
                "least_cosine": round(float(cosines.min()), 4),
            }
        for row in rows.values():
            row["throughput_ratio"] = round(row["chunks_per_second"] / rows[ORIGINAL]["chunks_per_second"], 2)
    print(json.dumps({"chunks": len(texts), "rounds": options.rounds, "ways": rows}, indent=1))


if __name__ == "__main__":
    main()
