"""Documents on their way into one transaction: chunked as they come, embedded and committed together, in order."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from rag_engine import tracing
from rag_engine.errors import ChunkingError, TruncatedError
from rag_engine.index import Catalog, Change, ChangeCounts, PreparedDocument, embedding_key
from rag_engine.jobs.ingest_progress import IngestMeter
from rag_engine.protocols import Embedder
from rag_engine.semantic_chunking import ChunkingPool, PendingChunks
from rag_engine.tracing import names
from rag_engine.types.document import Chunk, Document, SourceFailure
from rag_engine.types.ingestion import TRUNCATIONS_TOLD, TruncatedDocument

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors

Operation: TypeAlias = Callable[[Change], None]
Put: TypeAlias = Callable[[Change, PreparedDocument], None]
# Texts given to the embedder at once, all of about one length: between two portions progress is told and
# Ctrl-C is heard.
EMBEDDED_TOGETHER = 1024
REPORTED_TOGETHER = 64  # documents
TRUNCATIONS_IN_AN_ERROR = 3


@dataclass(slots=True)
class BatchTotals:
    """What all batches of an ingest did so far."""

    changes: ChangeCounts = field(default_factory=ChangeCounts)
    embedded: int = 0
    truncated: int = 0
    truncations: list[TruncatedDocument] = field(default_factory=list)


@dataclass(slots=True)
class _Entry:
    """Something to be done in the transaction; for a document that is still being chunked, what will be.

    ``size`` is how many bytes of the sources are done with once it is committed.
    """

    size: int
    operation: Operation | None = None
    pending: PendingChunks | None = None
    digest: str = ""
    source: str | None = None
    put: Put = Change.put_document

    @property
    def is_ready(self) -> bool:
        """Whether it need not be waited for."""
        return self.pending is None or self.pending.ready


class IngestBatch:
    """Takes documents and notes about sources, and commits them in their order, few transactions for many.

    Documents are chunked elsewhere meanwhile. A commit takes those whose chunks are there, up to the
    first whose chunks are not; ``commit`` waits for all.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        chunking: ChunkingPool,
        embedder: Embedder,
        batch_chunks: int,
        meter: IngestMeter,
        strict: bool = False,
    ) -> None:
        """``batch_chunks`` waiting to be embedded make a commit. With ``strict``, a document of which anything is
        left out fails."""
        self._catalog = catalog
        self._chunking = chunking
        self._embedder = embedder
        self._batch_chunks = batch_chunks
        self._meter = meter
        self._strict = strict
        self._transaction: Callable[[], AbstractContextManager[Change]] = catalog.change
        self._coming: deque[_Entry] = deque()  # from the first document on whose chunks are not taken yet
        self._ready: list[_Entry] = []
        self._texts: dict[bytes, str] = {}
        self._vectors: dict[bytes, Vectors] = {}
        self._document_ids: set[str] = set()
        self._ready_ids: list[str] = []
        self.failures: list[SourceFailure] = []
        self.failed_records: dict[str, list[SourceFailure]] = {}  # of these, those of each source
        self.totals = BatchTotals()

    def holds(self, identifier: str) -> bool:
        """Whether a document of this id is on its way."""
        return identifier in self._document_ids

    def put_document(self, document: Document, *, digest: str, source: str | None, size: int = 0) -> None:
        """Queues a document to be chunked, embedded and stored."""
        self._put(_Entry(size, digest=digest, source=source), document)

    def replace_chunks(self, document: Document, *, size: int = 0) -> None:
        """Queues a stored document to be chunked and embedded anew."""
        self._put(_Entry(size, put=Change.replace_chunks), document)

    def refuses(self, identifier: str) -> bool:
        """Whether a document fails though it is stored just so: it is cut, and that was accepted then."""
        window = self._embedder.identity.max_tokens
        return self._strict and self._catalog.truncations(window=window).names(identifier)

    def pass_over(self, size: int) -> None:
        """Nothing is to be done for so many bytes of a source: they are done with when what came before is."""
        entries = self._coming or self._ready
        if entries:
            entries[-1].size += size
        else:
            self._meter.settle(size)

    def note(self, operation: Operation, *, size: int = 0) -> None:
        """Queues something to be done in the transaction, after what was queued before."""
        (self._coming if self._coming else self._ready).append(_Entry(size, operation))

    def commit(self) -> None:
        """Writes everything queued; waits for the chunks that are still to come."""
        while self._coming:
            self._take_chunks()
            self._write_if_full()
        self._write()

    @contextlib.contextmanager
    def within(self, change: Change) -> Iterator[None]:
        """Commits become parts of a larger transaction for the block."""
        self._transaction = lambda: contextlib.nullcontext(change)
        try:
            yield
        finally:
            self._transaction = self._catalog.change

    def _put(self, entry: _Entry, document: Document) -> None:
        self._document_ids.add(document.id)
        self._meter.read += 1
        started = time.perf_counter()
        entry.pending = self._chunking.submit(document)
        tracing.performance.record("ingest chunk", time.perf_counter() - started)
        self._coming.append(entry)
        while self._coming and (self._coming[0].is_ready or self._chunking.full):
            self._take_chunks()
            self._write_if_full()

    def _take_chunks(self) -> None:
        """Makes the first entry that is coming ready, waiting for its chunks where it has to."""
        entry = self._coming.popleft()
        if entry.pending is not None:
            document = entry.pending.document
            started = time.perf_counter()
            try:
                chunks = entry.pending.result()
                self._tell_truncations(document, chunks)
            except (ChunkingError, TruncatedError) as error:
                entry.operation = self._failed(entry, document, error)
            else:
                prepared = PreparedDocument(document, entry.digest, entry.source, chunks, self._vectors)
                put = entry.put
                entry.operation = lambda change: put(change, prepared)
                self._texts.update((embedding_key(chunk.embedded_text), chunk.embedded_text) for chunk in chunks)
            tracing.performance.record("ingest chunk", time.perf_counter() - started)
            entry.pending = None
            self._ready_ids.append(document.id)
            self._meter.chunked += 1
            if self._meter.chunked % REPORTED_TOGETHER == 0:
                self._meter.report()
        self._ready.append(entry)

    def _tell_truncations(self, document: Document, chunks: Sequence[Chunk]) -> None:
        """Counts what is left out of a document. Raises TruncatedError where nothing may be."""
        window = self._embedder.identity.max_tokens
        cuts = [TruncatedDocument(document.id, cut.stage, cut.what, cut.kept, cut.of) for cut in document.truncations]
        cuts += [
            TruncatedDocument(
                document.id, "embedder", f"tokens of characters {chunk.start} to {chunk.end}", window, chunk.tokens
            )
            for chunk in chunks
            if chunk.tokens > window
        ]
        if cuts and self._strict:
            shown = "; ".join(str(cut) for cut in cuts[:TRUNCATIONS_IN_AN_ERROR])
            more = len(cuts) - TRUNCATIONS_IN_AN_ERROR
            raise TruncatedError(
                f"of {document.id} only this would be kept: {shown}{f' and {more} more cuts' if more > 0 else ''}"
            )
        self.totals.truncated += len(cuts)
        self.totals.truncations += cuts[: max(0, TRUNCATIONS_TOLD - len(self.totals.truncations))]

    def _failed(self, entry: _Entry, document: Document, error: ChunkingError | TruncatedError) -> Operation:
        if entry.put is Change.replace_chunks:
            raise error  # a document without chunks would be lost to every search
        name = document.id if entry.source is None else f"{entry.source}: {document.id}"
        failure = SourceFailure(name, error.code, error.message, error.hint)
        self.failures.append(failure)
        if entry.source is not None:
            self.failed_records.setdefault(entry.source, []).append(failure)
        return lambda _: None

    def _write_if_full(self) -> None:
        if len(self._texts) >= self._batch_chunks:
            self._write()

    def _write(self) -> None:
        """Embeds what has no vector yet and writes what is ready in one transaction."""
        if not self._ready:
            return
        size = sum(entry.size for entry in self._ready)
        self._embed(size)
        with tracing.span("ingest commit"), self._transaction() as change:
            for entry in self._ready:
                if entry.operation is not None:
                    entry.operation(change)
            counts, number = change.take_counts(), change.commit
        self.totals.changes += counts
        self._ready.clear()
        self._document_ids.difference_update(self._ready_ids)
        self._ready_ids.clear()
        # A new dictionary: the prepared documents of this batch hold the old one.
        self._vectors = {}
        changes, meter = self.totals.changes, self._meter
        meter.documents = changes.added + changes.updated
        meter.chunks = changes.chunks_added + changes.chunks_reused
        meter.commit = number
        meter.settle(size)
        meter.report()

    def _embed(self, size: int) -> None:
        known = self._catalog.known_vectors(list(self._texts))
        missing = sorted(
            ((key, text) for key, text in self._texts.items() if key not in known), key=lambda pair: -len(pair[1])
        )
        self._texts.clear()
        coming, embedded = iter(missing), 0
        self._meter.report()
        while portion := list(islice(coming, EMBEDDED_TOGETHER)):
            with tracing.span("ingest embed", {names.TEXTS: len(portion)}):
                self._vectors.update(
                    zip((key for key, _ in portion), self._embedder.embed([text for _, text in portion]), strict=True)
                )
            embedded += len(portion)
            self.totals.embedded += len(portion)
            self._meter.embedded += len(portion)
            self._meter.expect(size * embedded // len(missing))
            self._meter.report()
