"""Which of the files that were found must be read: not those that are unchanged, renamed, or known to fail."""

from __future__ import annotations

import os
from pathlib import Path

from rag_engine.index import Catalog, IndexLock, SourceRecord
from rag_engine.ingestion import Discovery, SourceFile, document_name
from rag_engine.types.document import SourceFailure


class SourceReview:
    """Compares what was found with what the catalog knows.

    ``vanished`` holds the stored paths that were asked for and are gone; a renamed one leaves it.
    ``unchanged`` and ``moved`` count documents, ``failures`` holds those known from before.
    """

    def __init__(self, *, catalog: Catalog, lock: IndexLock, discovery: Discovery, retry: bool) -> None:
        """With ``retry``, a file in quarantine is read again though neither it nor its loader has changed."""
        self._catalog = catalog
        self._lock = lock
        self._retry = retry
        found = {str(file.path) for file in discovery.files}
        self.vanished = {
            source.path
            for source in catalog.sources()
            if source.path not in found and discovery.covers(Path(source.path)) and is_gone(source.path)
        }
        self.unchanged = self.moved = 0
        self.failures: list[SourceFailure] = []

    def must_read(self, file: SourceFile, sha256: str) -> bool:
        """Settles a file whose bytes, of this SHA-256, bring nothing new; says whether it must be read."""
        path = str(file.path)
        return not (self._is_unchanged(path, sha256) or self._is_known_to_fail(path, sha256))

    def _is_unchanged(self, path: str, sha256: str) -> bool:
        record = self._catalog.source(path) or self._renamed(path, sha256)
        if record is None or not record.complete or record.sha256 != sha256:
            return False
        if record.loader_version != self._lock.loaders.get(record.loader):
            return False
        self.unchanged += self._catalog.count_documents(path)
        self.failures += self._catalog.failed_records(path)
        return True

    def _renamed(self, path: str, sha256: str) -> SourceRecord | None:
        """The record of a file that is gone and had these bytes, moved to its new path; None where there is none."""
        name = name_of(path, self._catalog)
        if self._catalog.stored(name) is not None:
            return None
        for source in self._catalog.sources_of_content(sha256):
            if is_gone(source.path):
                with self._catalog.change() as change:
                    change.move_source(source, path=path, name=name)
                self.vanished.discard(source.path)
                moved = self._catalog.count_documents(path)
                self.moved += moved
                self.unchanged -= moved  # the caller counts them as unchanged; they are counted once
                return self._catalog.source(path)
        return None

    def _is_known_to_fail(self, path: str, sha256: str) -> bool:
        known = self._catalog.quarantined_source(path)
        if self._retry or known is None or known.sha256 != sha256:
            return False
        if known.loader_versions != self._lock.fingerprint:
            return False
        self.failures.append(SourceFailure(known.source, known.code, known.error, known.hint))
        return True


def name_of(path: str, catalog: Catalog) -> str:
    """The id of the document in a file: the one it has, else its path below the working folder, else the whole."""
    record = catalog.source(path)
    if record is not None:
        return record.name
    name = document_name(Path(path), Path.cwd())
    holder = catalog.stored(name)
    return name if holder is None or holder.source == path else document_name(Path(path), Path("/"))


def is_gone(path: str) -> bool:
    """Whether nothing lies at a path any more."""
    return not os.path.lexists(path)
