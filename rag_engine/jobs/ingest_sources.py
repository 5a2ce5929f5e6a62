"""Which of the files that were found must be read: not those that are unchanged, renamed, or known to fail."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from rag_engine import tracing
from rag_engine.errors import IngestionError
from rag_engine.index import Catalog, FileStatus, IndexLock, SourceRecord
from rag_engine.ingestion import Discovery, SourceFile, document_name, hash_file
from rag_engine.types.document import SourceFailure
from rag_engine.types.health import QuarantinedSource

# A file that changed less than this before it was looked at may change again without its folder's telling: git
# calls such entries racily clean. File systems count in up to two seconds.
RACY_NANOSECONDS = 2_000_000_000


class SourceReview:
    """Compares what was found with what the catalog knows, which it reads once; it changes nothing itself.

    A file is unchanged without a look at its bytes where its folder says of it what it said when it was read. Bytes
    are hashed only where they may turn out to be known: those of the file itself, of one that failed, or of
    one that is gone.

    ``vanished`` holds the stored paths that were asked for and are gone; a renamed one leaves it. ``moves`` are
    the renamed ones: the record and the file's new place. ``refreshed`` are the records of files whose bytes are the
    same but whose folder says otherwise now. ``unchanged`` and ``moved`` count documents, ``unchanged_files`` files;
    ``failures`` holds those known from before, and files that could not be hashed, which ``unreadable`` names.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        lock: IndexLock,
        discovery: Discovery,
        seen: int,
        retry: bool,
        looked_at: Callable[[SourceFile], None] = lambda _: None,
    ) -> None:
        """``seen`` is when discovery began, in nanoseconds since 1970. With ``retry``, a file in quarantine is read
        again though neither it nor its loader has changed. ``looked_at`` is told of every file."""
        self._catalog = catalog
        self._lock = lock
        self._discovery = discovery
        self._retry = retry
        self._settled_before = seen - RACY_NANOSECONDS
        self._looked_at = looked_at
        self._records = {source.path: source for source in catalog.sources()}
        self._documents = catalog.count_documents_by_source()
        self._quarantine = {source.source: source for source in catalog.quarantined()}
        self._quarantined_names = sorted(self._quarantine)
        found = {file.location for file in discovery.files}
        absent = [source for source in self._records.values() if source.path not in found]
        # What may be found again under another name; whether it is really gone is asked when that comes up.
        self._absent: dict[int, list[SourceRecord]] = defaultdict(list)
        for source in absent:
            self._absent[source.size].append(source)
        self.vanished = {source.path for source in absent if discovery.covers(source.path) and is_gone(source.path)}
        self.moves: list[tuple[SourceRecord, str, str]] = []
        self.refreshed: list[SourceRecord] = []
        self.unchanged = self.moved = self.unchanged_files = 0
        self.failures: list[SourceFailure] = []
        self.unreadable: list[tuple[SourceFile, IngestionError]] = []

    def to_read(self) -> Iterator[SourceFile]:
        """The files that must be read, in order."""
        for file in self._discovery.files:
            try:
                if not self._is_known(file):
                    yield file
            except IngestionError as error:
                self.unreadable.append((file, error))
            self._looked_at(file)

    def status_of(self, file: SourceFile) -> FileStatus | None:
        """What a record keeps of what its folder says of a file: nothing, where the file changed too lately."""
        return _status(file) if max(file.modified, file.changed) < self._settled_before else None

    def name_of(self, location: str) -> str:
        """The id of the document in a file: the one it has, else its path below the working folder, else all of it."""
        record = self._records.get(location)
        if record is not None:
            return record.name
        name = document_name(Path(location), Path.cwd())
        holder = self._catalog.stored(name)
        return name if holder is None or holder.source == location else document_name(Path(location), Path("/"))

    def _is_known(self, file: SourceFile) -> bool:
        record = self._records.get(file.location)
        if record is not None and self._is_settled(record) and _same_status(record, file):
            self._count_unchanged(file.location)
            return True
        failed = None if self._retry else self._quarantine.get(file.location)
        if not (
            (record is not None and record.size == file.size and self._is_settled(record))
            or (failed is not None and failed.sha256 is not None)
            or (record is None and file.size in self._absent)
        ):
            return False
        with tracing.span("ingest hash"):
            sha256 = hash_file(file.location)
        if record is None:
            record = self._renamed(file, sha256)
        if record is not None and record.sha256 == sha256 and self._is_settled(record):
            refreshed = replace(record, size=file.size, status=self.status_of(file))
            if refreshed != record:
                self.refreshed.append(refreshed)
            self._count_unchanged(file.location)
            return True
        return failed is not None and self._fails_again(failed, sha256)

    def _is_settled(self, record: SourceRecord) -> bool:
        return record.complete and record.loader_version == self._lock.loaders.get(record.loader)

    def _count_unchanged(self, location: str) -> None:
        self.unchanged_files += 1
        self.unchanged += self._documents.get(location, 0)
        if self._quarantined_names:
            self.failures += self._failed_records(location)

    def _failed_records(self, location: str) -> Iterator[SourceFailure]:
        prefix = location + ":"
        for name in self._quarantined_names[bisect_left(self._quarantined_names, prefix) :]:
            if not name.startswith(prefix):
                return
            yield _failure(self._quarantine[name])

    def _renamed(self, file: SourceFile, sha256: str) -> SourceRecord | None:
        """The record of a file that is gone and had these bytes, under its new path; None where there is none."""
        for source in self._absent[file.size]:
            if source.sha256 != sha256 or not source.complete or not is_gone(source.path):
                continue
            name = self.name_of(file.location)
            if self._catalog.stored(name) is not None:
                return None
            self._absent[file.size].remove(source)
            self.moves.append((source, file.location, name))
            self.vanished.discard(source.path)
            if self._is_settled(source):
                self.moved += self._documents.get(source.path, 0)
            self._records[file.location] = replace(source, path=file.location, name=name)
            return self._records[file.location]
        return None

    def _fails_again(self, failed: QuarantinedSource, sha256: str) -> bool:
        if failed.sha256 != sha256 or failed.loader_versions != self._lock.fingerprint:
            return False
        self.failures.append(_failure(failed))
        return True


def is_gone(path: str) -> bool:
    """Whether nothing lies at a path any more."""
    return not os.path.lexists(path)


def _same_status(record: SourceRecord, file: SourceFile) -> bool:
    return record.size == file.size and record.status == _status(file)


def _status(file: SourceFile) -> FileStatus:
    return FileStatus(file.modified, file.changed, file.inode)


def _failure(source: QuarantinedSource) -> SourceFailure:
    return SourceFailure(source.source, source.code, source.error, source.hint)
