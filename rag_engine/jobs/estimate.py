"""What an ingest would take, from a sample of its files: documents, chunks, tokens, time and disk. Writes nothing."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag_engine.errors import ChunkingError, IngestionError
from rag_engine.index import Catalog, IndexLock
from rag_engine.ingestion import Sandbox, SourceFile, discover
from rag_engine.jobs.ingest_sources import SourceReview
from rag_engine.protocols import Chunker, Embedder
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import IngestEstimate

# A sample ends at whichever of these comes first.
SAMPLED_FILES = 64
SAMPLED_BYTES = 4_000_000
SAMPLED_SECONDS = 5.0
# Texts embedded to learn the rate, after one that makes the model ready.
EMBEDDED_TEXTS = 48
# Seconds to write a chunk to the catalog and to bring both caches up to it; measured on SciFact (10,000 chunks).
SECONDS_A_CHUNK = 0.00016
# Bytes on disk. Each vector lies in the catalog and in the dense index; SQLite's pages are never quite full.
BYTES_A_DIMENSION = 8.6
# Rows and index entries of a chunk, a document and a file, besides what they hold.
BYTES_A_CHUNK = 200
BYTES_A_DOCUMENT = 300
BYTES_A_FILE = 350
# The lexical index, as a share of the text: terms and postings, without positions.
LEXICAL_SHARE = 0.2


@dataclass(slots=True)
class _Sampled:
    """What was found in the sampled files of one kind; ``whole`` counts those read to their end."""

    files: int = 0
    whole: int = 0
    bytes: int = 0
    documents: int = 0
    characters: int = 0  # in bytes of UTF-8, as they are stored
    chunks: int = 0
    tokens: int = 0

    def add(self, other: _Sampled) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class _Sample:
    """The whole sample, by the files' suffixes."""

    kinds: dict[str, _Sampled] = field(default_factory=lambda: defaultdict(_Sampled))
    texts: list[tuple[str, int]] = field(default_factory=list)  # what would be embedded, with its tokens
    failures: list[SourceFailure] = field(default_factory=list)
    seconds: float = 0.0  # to parse and chunk it in one process

    def total(self) -> _Sampled:
        total = _Sampled()
        for kind in self.kinds.values():
            total.add(kind)
        return total


class EstimateJob:
    """Tells what ``IngestJob.ingest_paths`` would do with the same paths."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        chunker: Chunker,
        embedder: Embedder,
        make_sandbox: Callable[[], Sandbox],
        loader_versions: Mapping[str, int],
        cores: int = 1,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        """``cores`` are those that parsing, chunking and embedding share. ``include`` and ``exclude`` are patterns,
        see ``discover``. ``now`` tells nanoseconds since 1970."""
        self._catalog = catalog
        self._chunker = chunker
        self._embedder = embedder
        self._make_sandbox = make_sandbox
        self._lock = IndexLock(embedder.identity, chunker.identity, dict(loader_versions))
        self._cores = cores
        self._include, self._exclude = include, exclude
        self._now = now

    def estimate(self, paths: Sequence[str | Path], *, retry: bool = False) -> IngestEstimate:
        """Discovers everything, reads a sample, embeds a little of it.

        Raises:
            SourceNotFoundError: a path does not exist.
        """
        seen = self._now()
        discovery = discover(
            paths,
            known={source.path for source in self._catalog.sources.all()},
            include=self._include,
            exclude=self._exclude,
        )
        review = SourceReview(catalog=self._catalog, lock=self._lock, discovery=discovery, seen=seen, retry=retry)
        files = review.to_read
        sample = self._sample(files, review.name_of)
        found = sample.total()
        whole = _extrapolated(files, sample)
        dimension = self._embedder.identity.dimension
        return IngestEstimate(
            files=len(files),
            bytes=sum(file.size for file in files),
            unchanged=review.unchanged_files,
            documents=whole.documents,
            chunks=whole.chunks,
            tokens=whole.tokens,
            seconds=self._seconds(sample, found, whole),
            disk_bytes=round(
                whole.characters * (1 + LEXICAL_SHARE)
                + whole.chunks * (BYTES_A_CHUNK + BYTES_A_DIMENSION * dimension)
                + whole.documents * BYTES_A_DOCUMENT
                + len(files) * BYTES_A_FILE
            ),
            sampled_files=found.files,
            sampled_bytes=found.bytes,
            exact=found.whole == len(files),
            failures=(
                *discovery.failures,
                *(_failure(file.location, error) for file, error in review.unreadable),
                *sample.failures,
            ),
        )

    def _sample(self, files: Sequence[SourceFile], name_of: Callable[[str], str]) -> _Sample:
        sample = _Sample()
        started = time.monotonic()
        if files:
            with self._make_sandbox() as sandbox:
                left = SAMPLED_BYTES
                for file in _spread(files):
                    if left <= 0 or time.monotonic() - started > SAMPLED_SECONDS:
                        break
                    deadline = started + SAMPLED_SECONDS
                    found = self._read(file, name_of(file.location), sandbox, sample, limit=left, deadline=deadline)
                    sample.kinds[_kind(file)].add(found)
                    left -= found.bytes
        sample.seconds = time.monotonic() - started
        return sample

    def _read(
        self, file: SourceFile, name: str, sandbox: Sandbox, sample: _Sample, *, limit: int, deadline: float
    ) -> _Sampled:
        """Reads a file, or as much of it as ``limit`` bytes and the deadline allow."""
        found, taken = _Sampled(files=1), 0
        try:
            with sandbox.open(Path(file.location), name=name) as parsed:
                for item in parsed:
                    if isinstance(item, SourceFailure):
                        sample.failures.append(replace(item, source=file.location + item.source.removeprefix(name)))
                        continue
                    found.documents += 1
                    found.characters += len(item.text.encode())
                    taken += _bytes_of(item)
                    self._chunk(item, found, sample)
                    if taken >= limit or time.monotonic() > deadline:
                        # What one record of many takes in its file is near what it holds; the whole is not known.
                        found.bytes = min(file.size, taken)
                        return found
        except IngestionError as error:
            sample.failures.append(_failure(file.location, error))
        found.bytes, found.whole = file.size, 1
        return found

    def _chunk(self, document: Document, found: _Sampled, sample: _Sample) -> None:
        try:
            chunks = self._chunker.chunk(document)
        except ChunkingError as error:
            sample.failures.append(_failure(document.id, error))
            return
        found.chunks += len(chunks)
        found.tokens += sum(chunk.tokens for chunk in chunks)
        sample.texts += [(chunk.embedded_text, chunk.tokens) for chunk in chunks]

    def _seconds(self, sample: _Sample, found: _Sampled, whole: _Sampled) -> float:
        """Parsing and chunking share the cores with embedding, which would use all of them."""
        if not found.bytes or not whole.chunks:
            return 0.0
        read = sample.seconds * whole.characters / max(1, found.characters)
        return read / self._cores + whole.tokens * self._seconds_a_token(sample) + whole.chunks * SECONDS_A_CHUNK

    def _seconds_a_token(self, sample: _Sample) -> float:
        step = max(1, len(sample.texts) // EMBEDDED_TEXTS)
        chosen = sample.texts[::step][:EMBEDDED_TEXTS]
        self._embedder.embed([chosen[0][0]])
        started = time.perf_counter()
        self._embedder.embed([text for text, _ in chosen])
        return (time.perf_counter() - started) / max(1, sum(tokens for _, tokens in chosen))


def _spread(files: Sequence[SourceFile]) -> Iterator[SourceFile]:
    """At most SAMPLED_FILES of the files, spread over suffixes and, within each, over sizes: one of each in turn."""
    kinds: dict[str, list[SourceFile]] = defaultdict(list)
    for file in files:
        kinds[_kind(file)].append(file)
    largest_first = sorted(kinds.values(), key=lambda kind: -sum(file.size for file in kind))[:SAMPLED_FILES]
    chosen: list[list[SourceFile]] = []
    for kind in largest_first:
        count = min(len(kind), max(1, SAMPLED_FILES * len(kind) // len(files)))
        kind.sort(key=lambda file: file.size)
        # The middle of each of ``count`` equal parts, the middle one of these first.
        middles = [kind[(2 * part + 1) * len(kind) // (2 * count)] for part in range(count)]
        chosen.append(sorted(middles, key=lambda file: abs(middles.index(file) - count // 2)))
    given = 0
    for turn in range(max(map(len, chosen))):
        for kind in chosen:
            if turn < len(kind) and given < SAMPLED_FILES:
                given += 1
                yield kind[turn]


def _extrapolated(files: Sequence[SourceFile], sample: _Sample) -> _Sampled:
    """What all files hold if those of a kind are like the sampled ones; a kind without any is like all."""
    overall = sample.total()
    whole = _Sampled()
    counts: dict[str, list[int]] = defaultdict(list)
    for file in files:
        counts[_kind(file)].append(file.size)
    for kind, sizes in counts.items():
        found = sample.kinds.get(kind, overall)
        if not found.bytes:
            continue
        scale = sum(sizes) / found.bytes
        # Where a file is a document, their number does not go by their size.
        one_each = found.whole == found.files and found.documents <= found.files
        documents = len(sizes) * found.documents / found.files if one_each else found.documents * scale
        whole.add(
            _Sampled(
                files=len(sizes),
                bytes=sum(sizes),
                documents=round(documents),
                characters=round(found.characters * scale),
                chunks=round(found.chunks * scale),
                tokens=round(found.tokens * scale),
            )
        )
    return whole


def _kind(file: SourceFile) -> str:
    return os.path.splitext(file.location)[1].lower()  # noqa: PTH122 - one of very many


def _bytes_of(document: Document) -> int:
    metadata = json.dumps(dict(document.metadata), ensure_ascii=False)
    return len(document.text.encode()) + len(document.title.encode()) + len(metadata.encode()) + len(document.id)


def _failure(source: str, error: IngestionError) -> SourceFailure:
    return SourceFailure(source, error.code, error.message, error.hint)
