"""The way of a document: discovery, loader, chunker, embedder, catalog; then the caches catch up.

Documents are committed in batches, each whole in one transaction. A source is noted as complete only with its
last document, so that an ingest that was stopped goes on where it stood: what is there already is recognised
by its digest, and no chunk is embedded twice.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias, TypeVar

from rag_engine import tracing
from rag_engine.errors import (
    ConfigurationError,
    DecodingError,
    DuplicateDocumentError,
    EmptySourceError,
    IngestionError,
    ParsingError,
)
from rag_engine.index import (
    Change,
    Index,
    IndexLock,
    LockedEmbedder,
    SourceRecord,
    StoredDocument,
    check_embedder,
    document_digest,
    read_lock,
    set_lock,
    write_lock_file,
)
from rag_engine.ingestion import Discovery, Sandbox, SourceFile, discover, hash_file
from rag_engine.jobs.ingest_batch import IngestBatch
from rag_engine.jobs.ingest_sources import SourceReview, is_gone, name_of
from rag_engine.protocols import Chunker, Embedder
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import ChunkCounts, DocumentCounts, IngestProgress, IngestReport

ReportProgress: TypeAlias = Callable[[IngestProgress], None]
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class _Reading:
    """A source that was read but is not settled.

    Another living source had the ids of ``shared``, with equal documents, and of ``duplicates``, with others;
    ``given_up`` are those that the source itself had before and has no more.
    """

    source: SourceRecord
    shared: frozenset[str]
    duplicates: Mapping[str, SourceFailure]
    given_up: frozenset[str]
    failures: Sequence[SourceFailure]


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
        batch_chunks: int = 256,
        wait_seconds: float = 30.0,
        progress: ReportProgress = lambda _: None,
    ) -> None:
        """``make_sandbox`` starts what parses; it is only called when there is something to parse."""
        self._index = index
        self._catalog = index.catalog
        self._lock = IndexLock(embedder.identity, chunker.identity, dict(loader_versions))
        self._embedder = embedder
        self._make_sandbox = make_sandbox
        self._batch_chunks = batch_chunks
        self._wait_seconds = wait_seconds
        self._progress = progress
        self._batch = IngestBatch(
            catalog=index.catalog, chunker=chunker, embedder=LockedEmbedder(lambda: embedder, catalog=index.catalog)
        )
        self._failures: list[SourceFailure] = []
        self._unsettled: dict[str, _Reading] = {}
        self._unchanged = self._moved = 0
        self._stage, self._done, self._total = "scan", 0, 0

    # The three ways in ----------------------------------------------------------------------------

    def ingest_paths(self, paths: Sequence[str | Path], *, retry: bool = False) -> IngestReport:
        """Files, folders and globs: new and changed ones are read, vanished ones removed, renamed ones moved.

        A file in quarantine is read again when it or its loader has changed, or with ``retry``.

        Raises:
            SourceNotFoundError: a path does not exist; nothing has been done then.
            IndexLockedError, IndexReadOnlyError, StorageFullError, ModelMismatchError: see these.
        """
        discovery = discover(paths, known=[source.path for source in self._catalog.sources()])
        return self._run(lambda: self._ingest_discovered(discovery, retry=retry), purpose="rag ingest")

    def ingest_documents(self, documents: Iterable[Document]) -> IngestReport:
        """Documents from memory: new ones are added, those whose id is known updated; none is removed."""
        return self._run(lambda: self._ingest_memory(documents), purpose="Engine.ingest")

    def re_embed(self) -> IngestReport:
        """Chunks and embeds every stored document anew with the present chunker and embedder.

        One transaction: until it ends the index answers as before, and a kill leaves it as it was.
        """
        return self._run(self._re_embed, purpose="rag ingest --re-embed", agree=False)

    def _run(self, work: Callable[[], None], *, purpose: str, agree: bool = True) -> IngestReport:
        started, before = time.perf_counter(), tracing.statistics.seconds()
        with self._index.writing(wait_seconds=self._wait_seconds, purpose=purpose), tracing.span("ingest"):
            if agree:
                self._agree_with_lock()
            work()
            self._commit()
            self._stage = "index"
            self._report()
            with tracing.span("ingest index"):
                self._index.caches.save()
        totals, counts = self._batch.totals, self._catalog.counts()
        return IngestReport(
            index=self._index.folder.name,
            documents=DocumentCounts(
                added=totals.changes.added,
                updated=totals.changes.updated,
                moved=self._moved,
                unchanged=self._unchanged,
                deleted=totals.changes.deleted,
                failed=len(self._failures),
            ),
            chunks=ChunkCounts(
                added=totals.changes.chunks_added,
                reused=totals.changes.chunks_reused,
                deleted=totals.changes.chunks_deleted,
                total=counts.chunks,
            ),
            embedded=totals.embedded,
            truncated=totals.truncated,
            failures=tuple(self._failures),
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

    # Files ----------------------------------------------------------------------------------------

    def _ingest_discovered(self, discovery: Discovery, *, retry: bool) -> None:
        review = SourceReview(catalog=self._catalog, lock=self._lock, discovery=discovery, retry=retry)
        self._total = sum(file.size for file in discovery.files)
        changed = [(file, sha256) for file, sha256 in self._hashed(discovery.files) if review.must_read(file, sha256)]
        self._failures.extend([*discovery.failures, *review.failures])
        self._unchanged, self._moved = review.unchanged, review.moved
        self._stage, self._done, self._total = "read", 0, sum(file.size for file, _ in changed)
        if changed:
            with self._make_sandbox() as sandbox:
                for file, sha256 in changed:
                    with tracing.span("read source"):
                        self._read(file, sha256, sandbox)
                self._settle(sandbox)
        for path in review.vanished:
            self._batch.note(lambda change, path=path: change.delete_source(path))  # type: ignore[misc]

    def _hashed(self, files: Sequence[SourceFile]) -> Iterator[tuple[SourceFile, str]]:
        for file in files:
            try:
                with tracing.span("ingest hash"):
                    sha256 = hash_file(file.path)
            except IngestionError as error:
                self._fail(file, error, sha256=None)
                continue
            self._done += file.size
            self._report()
            yield file, sha256

    def _read(self, file: SourceFile, sha256: str, sandbox: Sandbox) -> None:
        path = str(file.path)
        name, begun, characters = name_of(path, self._catalog), self._done, 0
        before = set(self._catalog.document_ids(path))
        here: set[str] = set()
        failures: list[SourceFailure] = []
        shared: set[str] = set()
        duplicates: dict[str, SourceFailure] = {}
        try:
            with sandbox.open(file.path, name=name) as parsed:
                for item in _timed("ingest parse", parsed):
                    if isinstance(item, SourceFailure):
                        # The loader knows the document's name; people look for the file.
                        failures.append(replace(item, source=path + item.source.removeprefix(name)))
                        continue
                    characters += len(item.text)
                    self._done = begun + min(characters, file.size)
                    holder = self._holder(item.id, path)
                    if holder is None:
                        here.add(item.id)
                        self._put(item, path)
                    elif holder.digest == document_digest(item):
                        shared.add(item.id)
                    else:
                        duplicates[item.id] = _duplicate(path, item.id, holder)
                given_up = before - here
                record = SourceRecord(
                    path=path,
                    name=name,
                    sha256=parsed.sha256,
                    size=file.size,
                    loader=parsed.loader,
                    loader_version=parsed.version,
                    complete=not (shared or duplicates or given_up),
                )
        except IngestionError as error:
            self._fail(file, error, sha256=None if error.retryable else sha256)
            return

        self._failures.extend(failures)
        self._finish(record, [*failures, *duplicates.values()])
        if not record.complete:
            self._unsettled[path] = _Reading(record, frozenset(shared), duplicates, frozenset(given_up), failures)
        self._done = begun + file.size
        self._report()

    def _finish(self, record: SourceRecord, failures: Sequence[SourceFailure]) -> None:
        """Queues the notes about a source that was read and about those of its records that failed."""

        def finish(change: Change) -> None:
            change.record_source(record)
            for failure in failures:
                change.quarantine(failure, sha256=record.sha256, loader_versions=self._lock.fingerprint)

        self._batch.note(finish)

    def _settle(self, sandbox: Sandbox) -> None:
        """Once all is read: ids that one source gave up go to another that has them, then the rest is deleted.

        In this order a document that moves between files is never absent, however the ingest ends.
        """
        if not self._unsettled:
            return
        self._commit()
        taken = {path: self._taken_over(reading, sandbox) for path, reading in self._unsettled.items()}
        self._commit()
        for path, reading in self._unsettled.items():
            shared = reading.shared - taken[path]
            duplicates = [failure for key, failure in reading.duplicates.items() if key not in taken[path]]
            self._unchanged += len(shared)
            self._failures += duplicates
            # A source that shares an id with another one is read again each time, so that it takes the document
            # over when the other one gives it up.
            complete = not (shared or duplicates)
            self._finish(replace(reading.source, complete=complete), [*reading.failures, *duplicates])
            stored = [self._catalog.stored(identifier) for identifier in sorted(reading.given_up)]
            gone = [document.id for document in stored if document is not None and document.source == path]
            self._batch.note(lambda change, gone=gone: change.delete_documents(gone))  # type: ignore[misc]

    def _taken_over(self, reading: _Reading, sandbox: Sandbox) -> set[str]:
        """The contested ids that are free by now and whose documents the source has; none where it changed."""
        source, taken = reading.source, set[str]()
        contested = reading.shared | reading.duplicates.keys()
        freed = {identifier for identifier in contested if self._holder(identifier, source.path) is None}
        if not freed:
            return taken
        with contextlib.suppress(IngestionError), sandbox.open(Path(source.path), name=source.name) as parsed:
            if parsed.sha256 != source.sha256:
                return taken
            for item in _timed("ingest parse", parsed):
                if isinstance(item, Document) and item.id in freed:
                    taken.add(item.id)
                    self._put(item, source.path)
        return taken

    def _holder(self, identifier: str, source: str | None) -> StoredDocument | None:
        """The document of another, living source that has this id; None where the id is free for ``source``."""
        if identifier in self._batch.document_ids:
            self._commit()
        stored = self._catalog.stored(identifier)
        if stored is None or stored.source == source:
            return None
        if stored.source is not None and (is_gone(stored.source) or self._is_given_up(identifier, stored.source)):
            return None
        return stored

    def _is_given_up(self, identifier: str, source: str) -> bool:
        reading = self._unsettled.get(source)
        return reading is not None and identifier in reading.given_up

    def _put(self, document: Document, source: str | None) -> None:
        stored = self._catalog.stored(document.id)
        if stored is not None and stored.source == source and stored.digest == document_digest(document):
            self._unchanged += 1
            return
        self._batch.put_document(document, source)
        if self._batch.waiting_chunks >= self._batch_chunks:
            self._commit()

    # Documents from memory, and all over again ----------------------------------------------------

    def _ingest_memory(self, documents: Iterable[Document]) -> None:
        self._stage = "read"
        for document in documents:
            try:
                _check(document)
                holder = self._holder(document.id, None)
                if holder is not None:
                    raise DuplicateDocumentError(f"the id {document.id} belongs to a document of {holder.source}")
            except IngestionError as error:
                self._failures.append(SourceFailure(document.id, error.code, error.message, error.hint))
                continue
            self._put(document, None)

    def _re_embed(self) -> None:
        self._stage, self._total = "read", self._catalog.counts().documents
        with self._catalog.change() as change:
            set_lock(change, self._lock, self._embedder)
            change.remove_all_chunks()
            for document, _ in self._catalog.documents():
                self._batch.replace_chunks(document)
                self._done += 1
                if self._batch.waiting_chunks >= self._batch_chunks:
                    self._batch.commit_within(change)
                    self._report()
            self._batch.commit_within(change)
        self._unchanged = self._done

    # What happened --------------------------------------------------------------------------------

    def _commit(self) -> None:
        self._batch.commit()
        self._report()

    def _fail(self, file: SourceFile, error: IngestionError, *, sha256: str | None) -> None:
        failure = SourceFailure(str(file.path), error.code, error.message, error.hint)
        self._failures.append(failure)
        self._batch.note(
            lambda change: change.quarantine(failure, sha256=sha256, loader_versions=self._lock.fingerprint)
        )

    def _report(self) -> None:
        changes = self._batch.totals.changes
        self._progress(
            IngestProgress(
                stage=self._stage,
                done=self._done,
                total=self._total,
                documents=changes.added + changes.updated,
                chunks=changes.chunks_added + changes.chunks_reused,
                commit=self._catalog.commit_number(),
            )
        )


def _check(document: Document) -> None:
    if not document.id or not document.text.strip():
        raise EmptySourceError(f"the document {document.id!r} has no {'text' if document.id else 'id'}")
    if "\0" in document.id + document.title or "\0" in document.text:
        raise DecodingError(
            f"the document {document.id!a} holds a NUL character", hint="decode the text properly, or replace it"
        )
    try:
        document.id.encode()
        document_digest(document)
        json.dumps(dict(document.metadata), allow_nan=False, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise DecodingError(
            f"the document {document.id!a} holds a lone surrogate",
            hint="decode the text properly, or replace such characters",
        ) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ParsingError(
            f"the document {document.id!a} holds metadata that are no JSON: {error}",
            hint="give metadata as text, numbers, truths, lists and mappings",
        ) from error


def _duplicate(path: str, identifier: str, holder: StoredDocument) -> SourceFailure:
    error = DuplicateDocumentError(f"the id {identifier} belongs to another document, of {holder.source or 'the API'}")
    return SourceFailure(f"{path}: {identifier}", error.code, error.message, error.hint)


def _timed(stage: str, items: Iterable[_Item]) -> Iterator[_Item]:
    """The items, with the time that each takes to come recorded under ``stage``."""
    iterator = iter(items)
    while True:
        started = time.perf_counter()
        try:
            item = next(iterator)
        except StopIteration:
            return
        finally:
            tracing.statistics.record(stage, time.perf_counter() - started)
        yield item


def _stage_seconds(before: Mapping[str, float]) -> dict[str, float]:
    """Seconds that each stage of this ingest took; ``before`` is what the statistics said at its start."""
    return {
        name.removeprefix("ingest "): round(seconds - before.get(name, 0.0), 3)
        for name, seconds in tracing.statistics.seconds().items()
        if name.startswith("ingest ") and seconds > before.get(name, 0.0)
    }
