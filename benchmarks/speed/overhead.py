"""What the engine adds to a hybrid search: beside it, the same question through the model, FAISS and tantivy alone.

    python -m benchmarks.speed.overhead [--chunks 100000] [--corpus CORPUS] [--work FOLDER]

The bare way embeds with the same compiled model, searches the same dense rows as the index does, and asks tantivy for
the same terms; it reads no passages and fuses nothing. Each question goes both ways, which of them first by turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import tantivy

from benchmarks.speed.grown_index import build, questions_beside, real_chunks
from benchmarks.speed.growth import DEFAULT_CORPUS, DEFAULT_WORK
from rag_engine import Engine
from rag_engine.config import Settings
from rag_engine.embedding import DEFAULT_MODEL, default_cache, find_model, open_embedder
from rag_engine.index import CATALOG_NAME, Catalog, Index
from rag_engine.index.caches import LEXICAL_FOLDER
from rag_engine.protocols import DenseIndex, Embedder

QUESTIONS = 200
WARM_UP = 10
DEPTH = Settings().retrieval.depth


class BareTantivy:
    """The index's own files, asked without anything around."""

    def __init__(self, folder: Path) -> None:
        self._index = tantivy.Index.open(str(folder))
        self._schema = self._index.schema
        self._analyser = (
            tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
            .filter(tantivy.Filter.lowercase())
            .filter(tantivy.Filter.stopword("english"))
            .filter(tantivy.Filter.stemmer("english"))
            .build()
        )
        self._searcher = self._index.searcher()

    def search(self, question: str) -> int:
        """How many chunks were found, at most DEPTH."""
        clauses = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "body", term, index_option="freq"))
            for term in set(self._analyser.analyze(question))
        ]
        hits = self._searcher.search(tantivy.Query.boolean_query(clauses), DEPTH, count=False).hits
        return len(self._searcher.fast_field_values("chunk", [address for _, address in hits]))


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--corpus", type=Path, default=DEFAULT_CORPUS, help="corpus.jsonl of a gold set")
    parser.add_argument("--work", type=Path, default=DEFAULT_WORK)
    options = parser.parse_args()
    folder = options.work.resolve() / f"chunks-{options.chunks}"
    if not (folder / CATALOG_NAME).exists():
        build(folder, options.chunks, real_chunks(options.corpus, options.work / "real"))
    questions = questions_beside(options.corpus, QUESTIONS + WARM_UP)
    print(json.dumps({"chunks": options.chunks} | compare(folder, questions)))


def compare(folder: Path, questions: list[str]) -> dict[str, float]:
    """Medians in milliseconds: the engine, the bare parts and their sum, and a flat FAISS index over the same rows."""
    embedder = open_embedder(find_model(DEFAULT_MODEL), runtime="auto", cache=default_cache(), batch_size=32)
    words = BareTantivy(folder / LEXICAL_FOLDER)
    times: dict[str, list[float]] = {name: [] for name in ("engine", "bare", "embed", "dense", "lexical", "flat")}
    index = Index.open(folder)
    with Engine.open(folder, create=False) as engine, index.view(dense=True, lexical=False) as view:
        for position, question in enumerate(questions):
            ways: list[Callable[[], dict[str, float]]] = [
                lambda question=question: {"engine": _milliseconds(lambda: engine.search(question, mode="hybrid"))},  # type: ignore[misc]
                lambda question=question: _bare(question, embedder, view.dense, words),  # type: ignore[misc]
            ]
            for way in ways if position % 2 else reversed(ways):
                for name, taken in way().items():
                    times[name].append(taken)
    index.close()
    # By itself: a pass over all vectors leaves nothing else in the processor's caches.
    flat = _flat(folder)
    for vector in embedder.embed_queries(questions):
        times["flat"].append(_milliseconds(lambda vector=vector: flat.search(vector[np.newaxis, :], DEPTH)))  # type: ignore[misc]
    medians = {name: statistics.median(taken[WARM_UP:]) for name, taken in times.items()}
    figures = {f"{name}_milliseconds": round(median, 3) for name, median in medians.items()}
    return figures | {"ratio": round(medians["engine"] / medians["bare"], 3)}


def _bare(question: str, embedder: Embedder, dense: DenseIndex, words: BareTantivy) -> dict[str, float]:
    vectors: list[np.ndarray] = []
    embed = _milliseconds(lambda: vectors.append(embedder.embed_queries([question])[0]))
    searched = _milliseconds(lambda: dense.search(vectors[0], DEPTH))
    lexical = _milliseconds(lambda: words.search(question))
    return {"embed": embed, "dense": searched, "lexical": lexical, "bare": embed + searched + lexical}


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _flat(folder: Path) -> faiss.IndexFlatIP:
    catalog = Catalog(folder / CATALOG_NAME, read_only=True)
    flat: faiss.IndexFlatIP | None = None
    with catalog.reading():
        for entries in catalog.added_since(0):
            rows = np.stack([entry.vector for entry in entries])
            flat = flat or faiss.IndexFlatIP(rows.shape[1])
            flat.add(rows)
    catalog.close()
    if flat is None:
        raise SystemExit("the index is empty")
    return flat


if __name__ == "__main__":
    main()
