"""What the vocabulary costs: its share of an ingest, and a lookup among many words.

    python -m benchmarks.speed.vocabulary CORPUS [--words N]

Ingests CORPUS into a fresh index and counts its words once more by themselves, in the same process; then makes files
of N words, put together from syllables and drawn as often as Zipf's law has it, opens them, and looks up misspelt ones.
Prints one JSON object; milliseconds are medians, and 95th percentiles where it says so.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.corpus import read_documents
from benchmarks.quality.noise import noisy
from rag_engine.config import Settings
from rag_engine.engine import Engine
from rag_engine.index import Index
from rag_engine.index.caches import context_of
from rag_engine.index.vocabulary import WordIndex
from rag_engine.index.vocabulary.segment import Segment
from rag_engine.index.vocabulary.segment_writing import segment_bytes
from rag_engine.index.vocabulary.word_counts import CountedWord

SEED = 1
LOOKUPS = 200
OPENINGS = 20
ROUNDS = 3
_ONSETS = "b c d f g h j k l m n p r s t v w z br cl cr dr fl gr pl pr sh st th tr".split()  # noqa: SIM905
_VOWELS = "a e i o u ai ea io ou".split()  # noqa: SIM905
_ENDS = ("", "", "n", "r", "s", "t", "l", "ng", "ck")


def ingest_share(corpus: Path) -> dict[str, Any]:
    """Seconds of an ingest, and of the words in it."""
    documents = read_documents(corpus)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with Engine.open(Path(folder) / "index", settings=Settings()) as engine:
            engine.ingest(documents)
        whole = time.perf_counter() - started
        index = Index.open(Path(folder) / "index")
        seconds = []
        for number in range(ROUNDS):
            started = time.perf_counter()
            texts = (
                f"{context_of(entry.title, entry.heading_path)}\n{entry.text}"
                for entries in index.catalog.added_since(0)
                for entry in entries
            )
            WordIndex(Path(folder) / f"words{number}").update(texts, removed=0, commit=1)
            seconds.append(time.perf_counter() - started)
        on_disk = sum(file.stat().st_size for file in (Path(folder) / "index" / "vocabulary").iterdir())
        chunks = index.catalog.counts().chunks
        index.close()
    words = statistics.median(seconds)
    return {
        "chunks": chunks,
        "ingest_seconds": round(whole, 1),
        "words_seconds": round(words, 2),
        "share": round(words / whole, 4),
        "disk_megabytes": round(on_disk / 1e6, 2),
    }


def lookups(count: int) -> dict[str, Any]:
    """Times of opening and asking files of so many words."""
    generator = random.Random(SEED)
    words: dict[str, int] = {}
    while len(words) < count:
        word = "".join(
            generator.choice(_ONSETS) + generator.choice(_VOWELS) + generator.choice(_ENDS)
            for _ in range(generator.choice((2, 2, 3, 3, 3, 4, 5)))
        )
        words.setdefault(word, 1 + count // (len(words) + 1))
    asked = [noisy(word, kind="typos", seed=SEED) for word in generator.sample(sorted(words), LOOKUPS)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "words.bin"
        file.write_bytes(segment_bytes([CountedWord(word, times, 0) for word, times in words.items()], {}))
        opening = [_milliseconds(lambda: Segment.open(file)) for _ in range(OPENINGS)]
        segment = Segment.open(file)
        figures: dict[str, Any] = {
            "words": len(words),
            "disk_megabytes": round(file.stat().st_size / 1e6, 1),
            "open_ms": round(statistics.median(opening), 2),
        }
        for name, look in {
            "count": segment.count,
            "near_1": lambda word: list(segment.near(word, 1)),
            "near_2": lambda word: list(segment.near(word, 2)),
        }.items():
            times = sorted(_milliseconds(lambda word=word, look=look: look(word)) for word in asked)  # type: ignore[misc]
            figures[f"{name}_ms"] = round(statistics.median(times), 3)
            figures[f"{name}_p95_ms"] = round(times[int(0.95 * len(times))], 3)
    return figures


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--words", type=int, default=500_000)
    arguments = parser.parse_args()
    print(json.dumps({"ingest": ingest_share(arguments.corpus), "lookups": lookups(arguments.words)}))


if __name__ == "__main__":
    main()
