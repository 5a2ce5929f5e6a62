"""Which of the files that were found must be read: not those that are unchanged, renamed, or known to fail."""

from __future__ import annotations

import errno
import os
import re
import stat
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rag_engine import tracing
from rag_engine.errors import EncryptedSourceError, IngestionError, TruncatedError
from rag_engine.index import Catalog, FileStatus, IndexLock, SourceRecord
from rag_engine.ingestion import Discovery, SourceFile, document_name, hash_file, path_order
from rag_engine.jobs.ingest_copies import settle_succession
from rag_engine.types.document import SourceFailure
from rag_engine.types.health import QuarantinedSource

# A file that changed less than this before it was looked at may change again without its folder's telling: git
# calls such entries racily clean. File systems count in up to two seconds.
RACY_NANOSECONDS = 2_000_000_000
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class SourceReview:
    """Compares what was found with what the catalog knows, which it reads once; it changes nothing itself.

    A file is unchanged without a look at its bytes where its folder says of it what it said when it was read. Bytes
    are hashed only where they may turn out to be known: those of the file itself, of one that failed, or of
    another one of the same size.

    ``to_read`` are the files that must be read, in order; those with bytes that another file had come first, while
    the vectors of their texts are still there. ``vanished`` are the stored paths that were asked for and are gone, or
    left out; a renamed one is not among them. ``moves`` are records whose documents go to another file, with its
    place and name. ``copies`` are to be noted of files with the bytes of one whose documents are there; ``waiting``
    are those of files that must be read first, by the paths of these. ``refreshed`` are the records of files whose
    bytes are the same but whose folder says otherwise now. ``released`` are files in quarantine that are gone.
    ``unchanged`` and ``moved`` count documents, ``unchanged_files`` and ``copied_files`` files; ``failures`` are
    those known from before; ``unreadable`` are files that could not be hashed.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        lock: IndexLock,
        discovery: Discovery,
        seen: int,
        retry: bool,
        strict: bool = False,
        looked_at: Callable[[SourceFile], None] = lambda _: None,
    ) -> None:
        """``seen`` is when discovery began, in nanoseconds since 1970. With ``retry``, a file in quarantine is read
        again though neither it nor its loader has changed; with ``strict``, one of which something was left out.
        ``looked_at`` is told of every file."""
        self._catalog = catalog
        self._lock = lock
        self._discovery = discovery
        self._retry = retry
        self._settled_before = seen - RACY_NANOSECONDS
        self._records = {source.path: source for source in catalog.sources.all()}
        self._documents = catalog.sources.count_documents()
        self._quarantine = {source.source: source for source in catalog.sources.quarantined()}
        self._quarantined_names = sorted(self._quarantine)
        self._strict = strict
        window = lock.embedder.max_tokens
        self._truncated = catalog.truncations(window=window).sources() if strict else frozenset[str]()
        self._found = {file.location: file for file in discovery.files}
        # Bytes of a size that no other file has or had are bytes that no other file has.
        self._sizes = Counter(file.size for file in discovery.files)
        self._known_sizes = {source.size for source in self._records.values()}
        self._unchanged: set[str] = set()
        self._contents: dict[str, str] = {}
        self.vanished = {path for path in self._records if path not in self._found and self._is_asked_and_gone(path)}
        self.released = [name for name in self._quarantined_names if self._is_released(name)]
        self.moves: list[tuple[SourceRecord, str, str]] = []
        self.copies: list[SourceRecord] = []
        self.waiting: dict[str, list[SourceFile]] = {}
        self.refreshed: list[SourceRecord] = []
        self.failures: list[SourceFailure] = []
        self.unreadable: list[tuple[SourceFile, IngestionError]] = []
        self.unchanged = self.moved = self.unchanged_files = self.copied_files = 0
        changed = list(self._changed(looked_at))
        self.to_read = self._settled(changed)

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

    def content_of(self, location: str) -> str | None:
        """SHA-256 of a file's bytes where these were hashed."""
        return self._contents.get(location)

    def copy_of(self, holder: SourceRecord, file: SourceFile) -> SourceRecord:
        """What is to be noted of a file with the bytes of ``holder``, whose documents are there."""
        name, status = self.name_of(file.location), self.status_of(file)
        return replace(holder, path=file.location, name=name, complete=True, status=status, same_as=holder.path)

    def is_gone(self, path: str) -> bool:
        """Whether there is no file at a path any more, or none that is wanted."""
        return path in self.vanished or is_gone(path)

    def _is_asked_and_gone(self, path: str) -> bool:
        return self._discovery.covers(path) and (self._discovery.leaves_out(path) or is_gone(path))

    def _is_released(self, name: str) -> bool:
        """Whether what is in quarantine is a file that is gone; a single record goes with the file that it is of."""
        above = (name[: match.start()] for match in re.finditer("[:/]", name))
        return (
            name not in self._found
            and self._is_asked_and_gone(name)
            and not any(path in self._records or path in self._found for path in above)
        )

    # One file by itself ---------------------------------------------------------------------------

    def _changed(self, looked_at: Callable[[SourceFile], None]) -> Iterator[SourceFile]:
        """The files that are new or have other bytes, and are not known to fail."""
        for file in self._discovery.files:
            try:
                if not self._is_known(file):
                    yield file
            except IngestionError as error:
                self.unreadable.append((file, error))
            looked_at(file)

    def _is_known(self, file: SourceFile) -> bool:
        record = self._records.get(file.location)
        if record is not None and self._is_settled(record) and _same_status(record, file):
            self._unchanged.add(file.location)
            return True
        failed = None if self._retry else self._quarantine.get(file.location)
        if not (
            (record is not None and record.size == file.size and self._is_settled(record))
            or (failed is not None and failed.sha256 is not None)
            or (file.size and (self._sizes[file.size] > 1 or file.size in self._known_sizes))
        ):
            return False
        with tracing.span("ingest hash"):
            sha256 = hash_file(file.location)
        if record is not None and record.sha256 == sha256 and self._is_settled(record):
            refreshed = replace(record, size=file.size, status=self.status_of(file))
            if refreshed != record:
                self.refreshed.append(refreshed)
            self._unchanged.add(file.location)
            return True
        if failed is not None and self._fails_again(failed, sha256):
            return True
        if file.size:  # what is empty fails, each file by itself
            self._contents[file.location] = sha256
        return False

    def _is_settled(self, record: SourceRecord) -> bool:
        if not record.complete or record.loader_version != self._lock.loaders.get(record.loader):
            return False
        failed = {failure.code for failure in self._failed_records(record.path)} if self._quarantine else set[str]()
        if failed and (self._retry or EncryptedSourceError.code in failed):  # whose password may be known now
            return False
        refused = TruncatedError.code in failed
        # What one ingest refused for its strictness another accepts, and the other way round.
        return (refused or record.path not in self._truncated) if self._strict else not refused

    def _fails_again(self, failed: QuarantinedSource, sha256: str) -> bool:
        if failed.sha256 != sha256 or failed.loader_versions != self._lock.fingerprint:
            return False
        self.failures.append(_failure(failed))
        return True

    # Files of the same bytes ----------------------------------------------------------------------

    def _settled(self, changed: Sequence[SourceFile]) -> list[SourceFile]:
        """Finds out which files have the documents of others, and which must be read."""
        self._add_contents({file.location for file in changed})
        settled = settle_succession(
            self._contents,
            self._records,
            is_ready=lambda record: self._is_settled(record) or record.path not in self._found,
            is_gone=self.is_gone,
            may_move=lambda path: self._catalog.stored(self.name_of(path)) is None,
        )
        read = [file for file in changed if file.location not in self._contents]
        read += [self._file_at(path) for path in settled.to_read]
        # Their bytes were those that are known of them until now.
        left = {self._records[file.location].sha256 for file in read if file.location in self._records}
        self.waiting = {first: [self._file_at(path) for path in rest] for first, rest in settled.waiting.items()}
        elsewhere = {record.path for record, _ in settled.moves} | settled.copies.keys()
        elsewhere.update(file.location for file in read)
        elsewhere.update(file.location for rest in self.waiting.values() for file in rest)
        for path in self._unchanged - elsewhere:
            self._count(path)
        for record, path in settled.moves:
            self._move(record, path)
        for path, holder in settled.copies.items():
            self._note_copy(path, holder)
        return sorted(read, key=lambda file: (self._contents.get(file.location) not in left, path_order(file.location)))

    def _add_contents(self, changed: Collection[str]) -> None:
        """Adds to the bytes that were hashed those of other files that what changed may have to do with."""
        affected = {self._contents[path] for path in changed if path in self._contents}
        affected |= {self._records[path].sha256 for path in (*changed, *self.vanished) if path in self._records}
        affected |= self._catalog.sources.repeated_contents()
        for path, record in self._records.items():
            if record.sha256 in affected and (
                path in self._unchanged or (path not in self._found and path not in self.vanished and _is_file(path))
            ):
                self._contents[path] = record.sha256

    def _count(self, path: str) -> None:
        self.unchanged_files += 1
        self.unchanged += self._documents.get(path, 0)
        self.copied_files += self._records[path].same_as is not None
        self.failures += self._failed_records(path)

    def _move(self, record: SourceRecord, path: str) -> None:
        name = self.name_of(path)
        self.moves.append((record, path, name))
        self.vanished.discard(record.path)
        moved = self._records[path] = replace(record, path=path, name=name)
        if path in self._found:
            self.refreshed.append(replace(moved, status=self.status_of(self._found[path])))
        if self._is_settled(record):
            self.unchanged_files += path in self._found
            self.moved += self._documents.get(record.path, 0)
            self.failures += (
                replace(failure, source=path + failure.source.removeprefix(record.path))
                for failure in self._failed_records(record.path)
            )

    def _note_copy(self, path: str, holder: SourceRecord) -> None:
        file, record = self._file_at(path), self._records.get(path)
        self.unchanged_files += path in self._found
        self.copied_files += path in self._found
        wanted = self.copy_of(holder, file)
        if record is None or replace(record, status=wanted.status) != wanted:
            self.copies.append(wanted)

    def _file_at(self, path: str) -> SourceFile:
        """A file that was found, or one beyond what was asked for."""
        found = self._found.get(path)
        return SourceFile.seen(path, os.stat(path)) if found is None else found  # noqa: PTH116

    def _failed_records(self, location: str) -> Iterator[SourceFailure]:
        """What is in quarantine of single records, or members, of a file."""
        for mark in ":/":
            prefix = location + mark
            for name in self._quarantined_names[bisect_left(self._quarantined_names, prefix) :]:
                if not name.startswith(prefix):
                    break
                yield _failure(self._quarantine[name])


def is_gone(path: str) -> bool:
    """Whether no file lies at a path any more; not where that cannot be seen."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - one of many
    except OSError as error:
        return error.errno in _NOTHING_THERE


def _is_file(path: str) -> bool:
    return Path(path).is_file()


def _same_status(record: SourceRecord, file: SourceFile) -> bool:
    return record.size == file.size and record.status == _status(file)


def _status(file: SourceFile) -> FileStatus:
    return FileStatus(file.modified, file.changed, file.inode)


def _failure(source: QuarantinedSource) -> SourceFailure:
    return SourceFailure(source.source, source.code, source.error, source.hint)
