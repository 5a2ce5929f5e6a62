"""Files into the batch: each is read in its turn, its documents put, and what came of it noted."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from rag_engine import tracing
from rag_engine.errors import DuplicateDocumentError, IngestionError
from rag_engine.index import Catalog, Change, FileStatus, SourceRecord, StoredDocument, document_digest
from rag_engine.ingestion import ReadAhead, SourceFile, SourceReading, discover, hash_file
from rag_engine.jobs.ingest_batch import IngestBatch
from rag_engine.jobs.ingest_contested import ContestedIds, UnsettledSource
from rag_engine.jobs.ingest_progress import IngestMeter
from rag_engine.jobs.ingest_sources import SourceReview
from rag_engine.types.document import Document, SourceFailure

_Item = TypeVar("_Item")


class SourceIngestion:
    """Reads files and settles who has which document.

    ``unchanged`` counts documents that were there already, ``copied_files`` files noted as copies of one that was
    read, ``failures`` are files and records that could not be read.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        batch: IngestBatch,
        contested: ContestedIds,
        meter: IngestMeter,
        fingerprint: str,
    ) -> None:
        """``fingerprint`` names the loaders and their versions, see ``IndexLock``."""
        self._catalog = catalog
        self._batch = batch
        self._contested = contested
        self._meter = meter
        self._fingerprint = fingerprint
        self.unchanged = self.copied_files = 0
        self.failures: list[SourceFailure] = []

    def read(self, review: SourceReview, *, ahead: ReadAhead) -> None:
        """Reads the files of a review, in their order, and settles what several of them hold.

        Those that wait for a file with the same bytes become copies of it. Where that one fails, or has other bytes
        by now, the next of them is read in its place.
        """
        files = review.to_read
        while files:
            readings = ahead.read((file.location, review.name_of(file.location), file.size) for file in files)
            unread: list[SourceFile] = []
            for file, reading in zip(files, readings, strict=True):
                with tracing.span("read source"):
                    record = self._read(file, reading, review.status_of(file))
                waiting = review.waiting.pop(file.location, [])
                if record is not None and record.sha256 == review.content_of(file.location):
                    for copy in waiting:
                        self._note_copy(review.copy_of(record, copy))
                elif waiting:
                    unread.append(waiting[0])
                    review.waiting[waiting[0].location] = waiting[1:]
            files = unread
        self._settle(ahead)

    def _note_copy(self, copy: SourceRecord) -> None:
        self.copied_files += 1
        self._batch.note(lambda change: change.record_copy(copy))

    def _read(self, file: SourceFile, reading: SourceReading, status: FileStatus | None) -> SourceRecord | None:
        """Queues what a file holds; None where it could not be read."""
        path, characters = file.location, 0
        before = set(self._catalog.document_ids(path))
        here: set[str] = set()
        failures: list[SourceFailure] = []
        shared: set[str] = set()
        duplicates: dict[str, SourceFailure] = {}
        try:
            for item in _timed("ingest parse", reading):
                if isinstance(item, SourceFailure):
                    # The loader knows the document's name; people look for the file.
                    failures.append(replace(item, source=path + item.source.removeprefix(reading.name)))
                    continue
                size = min(len(item.text), file.size - characters)
                characters += size
                stored, digest = self._contested.stored(item.id), document_digest(item)
                if stored is None or not self._contested.is_held(stored, path):
                    here.add(item.id)
                    self.put(item, path, stored=stored, digest=digest, size=size)
                elif stored.digest == digest:
                    shared.add(item.id)
                else:
                    duplicates[item.id] = _duplicate(path, item.id, stored)
        except IngestionError as error:
            self.fail(file, error, sha256=None if error.retryable else _sha256_of(file), size=file.size - characters)
            return None
        given_up = before - here
        record = SourceRecord(
            path=path,
            name=reading.name,
            sha256=reading.sha256,
            size=file.size,
            loader=reading.loader,
            loader_version=reading.version,
            complete=not (shared or duplicates or given_up),
            status=status,
        )
        self.failures.extend(failures)
        settled = record.complete
        self._finish(record, [*failures, *duplicates.values()], size=file.size - characters, settled=settled)
        if not record.complete:
            self._contested.unsettled[path] = UnsettledSource(
                record, frozenset(shared), duplicates, frozenset(given_up), failures
            )
        return record

    def put(
        self, document: Document, source: str | None, *, stored: StoredDocument | None, digest: str, size: int = 0
    ) -> None:
        """Queues a document unless it is ``stored`` just so."""
        same = stored is not None and stored.source == source and stored.digest == digest
        if same and not self._batch.refuses(document.id):
            self.unchanged += 1
            self._batch.pass_over(size)
        else:
            self._batch.put_document(document, digest=digest, source=source, size=size)

    def fail(self, file: SourceFile, error: IngestionError, *, sha256: str | None, size: int = 0) -> None:
        """Notes that a file could not be read; these bytes are not tried again, where they are known."""
        failure = SourceFailure(file.location, error.code, error.message, error.hint)
        self.failures.append(failure)
        self._batch.note(
            lambda change: change.quarantine(failure, sha256=sha256, loader_versions=self._fingerprint), size=size
        )

    def _finish(
        self, record: SourceRecord, failures: Sequence[SourceFailure], *, size: int = 0, settled: bool = True
    ) -> None:
        """Queues the notes about a source that was read and about those of its records that failed. One that is not
        settled is finished once more: its failures are noted then, so that each counts once."""

        def finish(change: Change) -> None:
            failed = [*failures, *self._batch.failed_records.get(record.path, ())]
            change.record_source(record, failing={failure.source for failure in failed})
            for failure in failed if settled else ():
                change.quarantine(failure, sha256=record.sha256, loader_versions=self._fingerprint)

        self._batch.note(finish, size=size)

    def _settle(self, ahead: ReadAhead) -> None:
        """Once all is read: ids that one source gave up go to another that has them, then the rest is deleted.

        In this order a document that moves between files is never absent, however the ingest ends.
        """
        unsettled = self._contested.unsettled
        if not unsettled:
            return
        self._batch.commit()
        taken = {path: self._taken_over(source, ahead) for path, source in unsettled.items()}
        self._batch.commit()
        for path, source in unsettled.items():
            shared = source.shared - taken[path]
            duplicates = [failure for key, failure in source.duplicates.items() if key not in taken[path]]
            self.unchanged += len(shared)
            self.failures += duplicates
            # A source that shares an id with another one is read again each time, so that it takes the document
            # over when the other one gives it up.
            complete = not (shared or duplicates)
            self._finish(replace(source.source, complete=complete), [*source.failures, *duplicates])
            gone = self._contested.given_up_by(source)
            self._batch.note(lambda change, gone=gone: change.delete_documents(gone))  # type: ignore[misc]

    def _taken_over(self, unsettled: UnsettledSource, ahead: ReadAhead) -> set[str]:
        """The contested ids that are free by now and whose documents the source has; none where it changed."""
        source, taken = unsettled.source, set[str]()
        freed = self._contested.freed(unsettled)
        if not freed:
            return taken
        for reading in ahead.read([(source.path, source.name, source.size)]):
            with suppress(IngestionError):
                for item in _timed("ingest parse", reading):
                    if reading.sha256 != source.sha256:
                        break
                    if isinstance(item, Document) and item.id in freed:
                        taken.add(item.id)
                        self.put(item, source.path, stored=self._catalog.stored(item.id), digest=document_digest(item))
        return taken


def _duplicate(path: str, identifier: str, holder: StoredDocument) -> SourceFailure:
    error = DuplicateDocumentError(f"the id {identifier} belongs to another document, of {holder.source or 'the API'}")
    return SourceFailure(f"{path}: {identifier}", error.code, error.message, error.hint)


def _sha256_of(file: SourceFile) -> str | None:
    """The digest of a file that failed; None where it is no longer the one that did."""
    try:
        sha256 = hash_file(file.location)
        return sha256 if discover([file.location]).files == [file] else None
    except IngestionError:
        return None


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
            tracing.performance.record(stage, time.perf_counter() - started)
        yield item
