"""Ids that several sources have, and documents that move between sources: who gets which, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rag_engine.index import Catalog, SourceRecord, StoredDocument
from rag_engine.jobs.ingest_batch import IngestBatch
from rag_engine.jobs.ingest_sources import is_gone
from rag_engine.types.document import SourceFailure


@dataclass(frozen=True, slots=True)
class UnsettledSource:
    """A source that was read but is not settled.

    Another living source had the ids of ``shared``, with equal documents, and of ``duplicates``, with others;
    ``given_up`` are those that the source itself had before and has no more.
    """

    source: SourceRecord
    shared: frozenset[str]
    duplicates: Mapping[str, SourceFailure]
    given_up: frozenset[str]
    failures: Sequence[SourceFailure]

    @property
    def contested(self) -> frozenset[str]:
        """The ids that another source had."""
        return self.shared | self.duplicates.keys()


class ContestedIds:
    """Who holds an id while sources are being read. ``is_gone`` says that a path is no source any more."""

    def __init__(self, *, catalog: Catalog, batch: IngestBatch) -> None:
        self._catalog = catalog
        self._batch = batch
        self.unsettled: dict[str, UnsettledSource] = {}
        self.is_gone: Callable[[str], bool] = is_gone

    def holder(self, identifier: str, source: str | None) -> StoredDocument | None:
        """The document of another, living source that has this id; None where the id is free for ``source``."""
        stored = self.stored(identifier)
        return stored if stored is not None and self.is_held(stored, source) else None

    def stored(self, identifier: str) -> StoredDocument | None:
        """The document that has this id, once all that are on their way are in."""
        if self._batch.holds(identifier):
            self._batch.commit()
        return self._catalog.stored(identifier)

    def is_held(self, stored: StoredDocument, source: str | None) -> bool:
        """Whether a document belongs to another, living source than ``source``."""
        if stored.source is None or stored.source == source:
            return stored.source != source
        return not (self.is_gone(stored.source) or self._is_given_up(stored.id, stored.source))

    def freed(self, unsettled: UnsettledSource) -> set[str]:
        """The contested ids of a source that no other one holds any more."""
        path = unsettled.source.path
        return {identifier for identifier in unsettled.contested if self.holder(identifier, path) is None}

    def given_up_by(self, unsettled: UnsettledSource) -> list[str]:
        """Ids of the documents that a source had, has no more, and that no other source has taken."""
        stored = [self._catalog.stored(identifier) for identifier in sorted(unsettled.given_up)]
        return [document.id for document in stored if document is not None and document.source == unsettled.source.path]

    def _is_given_up(self, identifier: str, source: str) -> bool:
        unsettled = self.unsettled.get(source)
        return unsettled is not None and identifier in unsettled.given_up
