"""The way of a document: discovery, loader, chunker, embedder, catalog; then the caches catch up.

A pipeline: files are parsed ahead in sandboxes and documents chunked in processes of their own, while what has come
through is embedded and committed here, in batches, each whole in one transaction and in the order of the files.
A source is noted as complete only with its last document, so that an ingest that was stopped goes on where it
stood: what is there already is recognised by its digest, and no chunk is embedded twice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from rag_engine import tracing
from rag_engine.errors import ConfigurationError, DuplicateDocumentError, IngestionError, OutOfMemoryError
from rag_engine.index import Index, IndexLock, LockedEmbedder, check_embedder, read_lock, set_lock, write_lock_file
from rag_engine.ingestion import Discovery, ReadAhead, Sandbox, discover
from rag_engine.jobs.ingest_batch import IngestBatch
from rag_engine.jobs.ingest_contested import ContestedIds
from rag_engine.jobs.ingest_memory import checked
from rag_engine.jobs.ingest_near_duplicates import NearDuplicateSettlement
from rag_engine.jobs.ingest_progress import IngestMeter, ReportProgress
from rag_engine.jobs.ingest_reading import SourceIngestion
from rag_engine.jobs.ingest_sources import SourceReview
from rag_engine.protocols import Chunker, Embedder
from rag_engine.semantic_chunking import ChunkingPool
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import ChunkCounts, DocumentCounts, IngestReport


class IngestJob:
    """Brings an index to what files and documents hold. One job, one ingest."""

    def __init__(
        self,
        *,
        index: Index,
        chunker: Chunker,
        embedder: Embedder,
        make_sandbox: Callable[[], Sandbox],
        loader_versions: Mapping[str, int],
        batch_chunks: int = 1024,
        workers: int = 1,
        small_characters: int | None = None,
        strict: bool = False,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        near_duplicates: str = "keep",
        near_duplicate_threshold: float = 0.9,
        wait_seconds: float = 30.0,
        progress: ReportProgress = lambda _: None,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        """``make_sandbox`` starts what parses; it is only called when there is something to parse.

        At most ``workers`` processes parse, and as many chunk; an ingest up to ``small_characters`` (see
        ``ChunkingPool``) is chunked in this one. With ``strict``, a document of which anything would be left out
        fails; what is stored of it stays. ``include`` and ``exclude`` are patterns, see ``discover``;
        ``near_duplicates`` is the policy for them, see ``NearDuplicateSettlement``. ``now`` tells the nanoseconds
        since 1970.
        """
        self._index = index
        self._catalog = index.catalog
        self._lock = IndexLock(embedder.identity, chunker.identity, dict(loader_versions))
        self._embedder = embedder
        self._make_sandbox = make_sandbox
        self._workers = workers
        self._strict = strict
        self._include, self._exclude = include, exclude
        self._wait_seconds = wait_seconds
        self._now = now
        self._meter = IngestMeter(progress)
        small = {} if small_characters is None else {"small_characters": small_characters}
        self._chunking = ChunkingPool(chunker=chunker, workers=workers, **small)
        self._batch = IngestBatch(
            catalog=index.catalog,
            chunking=self._chunking,
            embedder=LockedEmbedder(lambda: embedder, catalog=index.catalog),
            batch_chunks=batch_chunks,
            meter=self._meter,
            strict=strict,
        )
        self._near_duplicates = NearDuplicateSettlement(
            catalog=index.catalog, batch=self._batch, policy=near_duplicates, threshold=near_duplicate_threshold
        )
        self._contested = ContestedIds(catalog=index.catalog, batch=self._batch)
        self._sources = SourceIngestion(
            catalog=index.catalog,
            batch=self._batch,
            contested=self._contested,
            meter=self._meter,
            fingerprint=self._lock.fingerprint,
        )
        self._failures: list[SourceFailure] = []
        self._unchanged = self._moved = self._copied = 0

    # The three ways in ----------------------------------------------------------------------------

    def ingest_paths(
        self,
        paths: Sequence[str | Path],
        *,
        retry: bool = False,
    ) -> IngestReport:
        """Files, folders and globs: new and changed ones are read, vanished ones removed, renamed ones moved.

        A file in quarantine is read again when it or its loader has changed, or with ``retry``. What patterns or a
        .ragignore file leave out is gone for the index: see ``discover``.

        Raises:
            SourceNotFoundError: a path does not exist; nothing has been done then.
            UsageError, UnreadableSourceError: what is to be left out cannot be told; nothing has been done then.
            IndexLockedError, IndexReadOnlyError, StorageFullError, ModelMismatchError, OutOfMemoryError: see these.
        """
        seen = self._now()
        discovery = discover(
            paths,
            known={source.path for source in self._catalog.sources.all()},
            include=self._include,
            exclude=self._exclude,
            passed_over=[os.path.abspath(self._index.folder)],  # noqa: PTH100 - links are not resolved, as in discovery
        )
        return self._run(lambda: self._ingest_discovered(discovery, seen=seen, retry=retry), purpose="rag ingest")

    def ingest_documents(self, documents: Iterable[Document]) -> IngestReport:
        """Documents from memory: new ones are added, those whose id is known updated; none is removed."""
        return self._run(lambda: self._ingest_memory(documents), purpose="Engine.ingest")

    def re_embed(self) -> IngestReport:
        """Chunks and embeds every stored document anew with the present chunker and embedder.

        One transaction: until it ends the index answers as before, and a kill leaves it as it was.

        Raises:
            ChunkingError, TruncatedError: a document cannot be cut into chunks, or, where that is refused, something
                of one would be left out; everything stays as it was.
        """
        return self._run(self._re_embed, purpose="rag ingest --re-embed", agree=False)

    def _run(self, work: Callable[[], None], *, purpose: str, agree: bool = True) -> IngestReport:
        started, before = time.perf_counter(), tracing.performance.seconds()
        try:
            with (
                self._index.writing(wait_seconds=self._wait_seconds, purpose=purpose),
                self._chunking,
                tracing.span("ingest"),
            ):
                self._meter.commit = self._catalog.commit_number()
                if agree:
                    self._agree_with_lock()
                work()
                self._batch.commit()
                self._near_duplicates.settle()
                self._meter.begin("index", 0)
                with tracing.span("ingest index"):
                    self._index.caches.save()
        except MemoryError as error:
            raise OutOfMemoryError(
                "there is not enough memory for the ingest; what was committed before is kept"
            ) from error
        totals, counts = self._batch.totals, self._catalog.counts()
        failures = (*self._failures, *self._sources.failures, *self._batch.failures)
        return IngestReport(
            index=self._index.folder.name,
            documents=DocumentCounts(
                added=totals.changes.added,
                updated=totals.changes.updated,
                moved=self._moved,
                unchanged=self._unchanged + self._sources.unchanged,
                deleted=totals.changes.deleted,
                failed=len(failures),
                copies=self._copied + self._sources.copied_files,
            ),
            chunks=ChunkCounts(
                added=totals.changes.chunks_added,
                reused=totals.changes.chunks_reused,
                deleted=totals.changes.chunks_deleted,
                total=counts.chunks,
            ),
            embedded=totals.embedded,
            truncated=totals.truncated,
            truncations=tuple(totals.truncations),
            failures=failures,
            seconds=time.perf_counter() - started,
            commit=counts.commit,
            stages=_stage_seconds(before),
        )

    def _agree_with_lock(self) -> None:
        """Takes the first ingest's embedder and chunker for good; refuses others afterwards."""
        lock = read_lock(self._catalog)
        if lock is None:
            with self._catalog.change() as change:
                set_lock(change, self._lock, self._embedder)
            write_lock_file(self._index.folder, self._catalog)
            return
        if lock.embedder != self._lock.embedder:
            # The same model answers the canaries before its first text; what says that it is another one, at once.
            check_embedder(self._catalog, self._embedder)
        if lock.chunker != self._lock.chunker:
            raise ConfigurationError(
                f"the index was chunked as {lock.chunker!r}, the settings now say {self._lock.chunker!r}",
                hint="set chunking as it was, or chunk and embed the index anew with: rag ingest --re-embed",
            )
        if lock.loaders != self._lock.loaders:
            with self._catalog.change() as change:
                set_lock(change, IndexLock(lock.embedder, lock.chunker, self._lock.loaders))

    # What is ingested -----------------------------------------------------------------------------

    def _ingest_discovered(self, discovery: Discovery, *, seen: int, retry: bool) -> None:
        meter = self._meter
        meter.begin("scan", sum(file.size for file in discovery.files))
        review = SourceReview(
            catalog=self._catalog,
            lock=self._lock,
            discovery=discovery,
            seen=seen,
            retry=retry,
            strict=self._strict,
            looked_at=lambda file: meter.advance(file.size),
        )
        self._contested.is_gone = review.is_gone
        for file, error in review.unreadable:
            self._sources.fail(file, error, sha256=None)
        if review.moves or review.copies or review.released:
            with self._catalog.change() as change:
                for record, path, name in review.moves:
                    change.move_source(record, path=path, name=name)
                for copy in review.copies:
                    change.record_copy(copy)
                for name in review.released:
                    change.release(name)
                self._batch.totals.changes += change.take_counts()
        if review.refreshed:
            self._catalog.refresh_sources(review.refreshed)
        self._failures += [*discovery.failures, *review.failures]
        self._unchanged, self._moved, self._copied = review.unchanged, review.moved, review.copied_files
        meter.begin("read", sum(file.size for file in review.to_read))
        if review.to_read:
            with ReadAhead(make_sandbox=self._make_sandbox, workers=self._workers) as ahead:
                self._sources.read(review, ahead=ahead)
        for path in review.vanished:
            self._batch.note(lambda change, path=path: change.delete_source(path))  # type: ignore[misc]

    def _ingest_memory(self, documents: Iterable[Document]) -> None:
        self._meter.begin("read", 0)
        for given in documents:
            try:
                document, digest = checked(given)
                stored = self._contested.stored(document.id)
                if stored is not None and self._contested.is_held(stored, None):
                    raise DuplicateDocumentError(f"the id {document.id} belongs to a document of {stored.source}")
            except IngestionError as error:
                self._failures.append(SourceFailure(given.id, error.code, error.message, error.hint))
                continue
            self._sources.put(document, None, stored=stored, digest=digest)

    def _re_embed(self) -> None:
        total = self._catalog.counts().documents
        self._meter.begin("read", total)
        with self._catalog.change() as change, self._batch.within(change):
            set_lock(change, self._lock, self._embedder)
            change.remove_all_chunks()
            for document, _ in self._catalog.documents():
                self._batch.replace_chunks(document, size=1)
            self._batch.commit()
        self._unchanged = total


def _stage_seconds(before: Mapping[str, float]) -> dict[str, float]:
    """Seconds that each stage of this ingest took; ``before`` is what the statistics said at its start."""
    return {
        name.removeprefix("ingest "): round(seconds - before.get(name, 0.0), 3)
        for name, seconds in tracing.performance.seconds().items()
        if name.startswith("ingest ") and seconds > before.get(name, 0.0)
    }
