"""Indexes of any size: the chunks of a real corpus, then copies of them with other words and moved vectors."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag_engine import Document, Engine
from rag_engine.index import CATALOG_NAME, Catalog, PreparedDocument, document_digest, embedding_key
from rag_engine.types.document import Chunk

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers, Vectors

CHUNKS_OF_A_DOCUMENT = 4
DOCUMENTS_OF_A_CHANGE = 1_000
# One word in so many is another one of the corpus: enough for a text of its own, and as frequent as words are.
CHANGED_WORDS = 8
# A copy lies at most half way to another chunk, and off the line by noise of this length: its cosine to the original
# is .62 to .93 (1st to 99th percentile of scifact's), a real chunk's to its nearest neighbour .54 to .94.
HALF_WAY = 0.5
NOISE = 0.4


@dataclass(frozen=True, slots=True)
class RealChunks:
    """Texts with their vectors, shape (n, dimension)."""

    texts: Sequence[str]
    vectors: Vectors


def real_chunks(corpus: Path, folder: Path) -> RealChunks:
    """The chunks of a corpus, ingested once into ``folder``."""
    with Engine.open(folder) as engine:
        engine.ingest(corpus)
    catalog = Catalog(folder / CATALOG_NAME, read_only=True)
    try:
        with catalog.reading():
            entries = list(itertools.chain.from_iterable(catalog.added_since(0)))
    finally:
        catalog.close()
    return RealChunks([entry.text for entry in entries], np.stack([entry.vector for entry in entries]))


def questions_beside(corpus: Path, count: int) -> list[str]:
    """The first questions of the gold set that a corpus belongs to."""
    with (corpus.parent / "queries.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in itertools.islice(lines, count)]


@dataclass(frozen=True, slots=True)
class Built:
    """Seconds that an index took: what the catalog was told, and until its caches had caught up and were saved."""

    catalog_seconds: float
    caches_seconds: float


def build(folder: Path, chunks: int, real: RealChunks) -> Built:
    """A new index of ``chunks`` chunks, written as an ingest writes it; no text is embedded for it."""
    shutil.rmtree(folder, ignore_errors=True)
    with Engine.open(folder) as engine:
        # The first ingest takes the model and the chunker for good, the second one brings the caches up.
        engine.ingest([Document(id="first", text="The first document of a growing index.")])
        started = time.perf_counter()
        _fill(folder / CATALOG_NAME, chunks, real)
        filled = time.perf_counter()
        engine.ingest([Document(id="last", text="The last document of a growing index.")])
        return Built(filled - started, time.perf_counter() - filled)


def _fill(path: Path, chunks: int, real: RealChunks) -> None:
    documents = _documents(chunks, real)
    catalog = Catalog(path)
    try:
        while portion := list(itertools.islice(documents, DOCUMENTS_OF_A_CHANGE)):
            with catalog.change() as change:
                for document in portion:
                    change.put_document(document)
    finally:
        catalog.close()


def _documents(chunks: int, real: RealChunks) -> Iterator[PreparedDocument]:
    generator, noise = random.Random(chunks), np.random.default_rng(chunks)
    vocabulary = list(itertools.chain.from_iterable(text.split() for text in real.texts))
    for number, start in enumerate(range(0, chunks, CHUNKS_OF_A_DOCUMENT)):
        texts, vectors = [], []
        for place in range(start, min(start + CHUNKS_OF_A_DOCUMENT, chunks)):
            text, vector = real.texts[place % len(real.texts)], real.vectors[place % len(real.texts)]
            copied = place >= len(real.texts)
            texts.append(_reworded(text, vocabulary, generator) if copied else text)
            vectors.append(_moved(vector, real.vectors, noise) if copied else vector)
        yield _prepared(f"document-{number}", texts, vectors)


def moved_vectors(numbers: Sequence[int] | Numbers, real: RealChunks) -> Vectors:
    """A vector for each number, shape (n, dimension): the real ones, and beyond them moved ones."""
    noise = np.random.default_rng(int(numbers[0]))
    count = len(real.texts)
    return np.stack(
        [
            real.vectors[number] if number < count else _moved(real.vectors[number % count], real.vectors, noise)
            for number in numbers
        ]
    )


def _reworded(text: str, vocabulary: Sequence[str], generator: random.Random) -> str:
    words = text.split()
    for place in range(generator.randrange(CHANGED_WORDS), len(words), CHANGED_WORDS):
        words[place] = generator.choice(vocabulary)
    return " ".join(words)


def _moved(vector: Vectors, others: Vectors, noise: np.random.Generator) -> Vectors:
    share = noise.uniform(0, HALF_WAY)
    direction = noise.standard_normal(len(vector))
    moved = (1 - share) * vector + share * others[noise.integers(len(others))]
    moved += direction * (NOISE / np.linalg.norm(direction))
    return (moved / np.linalg.norm(moved)).astype(np.float32)


def _prepared(identifier: str, texts: Sequence[str], vectors: Sequence[Vectors]) -> PreparedDocument:
    chunks, start = [], 0
    for ordinal, text in enumerate(texts):
        # Four characters a token, about: nothing that is measured reads the count.
        chunks.append(Chunk(ordinal, start, start + len(text), text, (), text, len(text) // 4))
        start += len(text) + 2
    document = Document(id=identifier, text="\n\n".join(texts))
    by_key = {embedding_key(text): vector for text, vector in zip(texts, vectors, strict=True)}
    return PreparedDocument(document, document_digest(document), None, chunks, by_key)
