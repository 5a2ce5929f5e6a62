"""What an index is made of, what is wrong with it, and its repair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rag_engine.errors import CatalogDamagedError, RagEngineError
from rag_engine.index import (
    Catalog,
    Index,
    PreparedDocument,
    SourceRecord,
    check_embedder,
    document_digest,
    lock_file_differs,
    read_lock,
    readable_documents,
    set_aside,
    writer_lock,
)
from rag_engine.jobs.calibration_file import FILE_NAME as CALIBRATION_NAME
from rag_engine.jobs.calibration_file import REMEDY
from rag_engine.protocols import Embedder
from rag_engine.types.document import Document
from rag_engine.types.health import CalibrationState, EmbeddingPath, Finding, IndexStatus
from rag_engine.types.ingestion import TRUNCATIONS_TOLD

WAIT_SECONDS = 30.0  # for another writer
SUSPICIONS_TOLD = 100  # documents, by a status
NOTHING_TO_SAVE = "restore catalog.sqlite from a backup, or remove the folder and ingest anew"


class HealthJob:
    """Examines one index."""

    def __init__(
        self,
        *,
        index: Index,
        make_embedder: Callable[[], Embedder],
        embedding_path: Callable[[], EmbeddingPath],
        protections: Callable[[], tuple[str, ...]] = tuple,
        calibration: Callable[[], CalibrationState | None] = lambda: None,
    ) -> None:
        """``embedding_path`` says what embeds here without making it ready, ``protections`` what confines parsers,
        ``calibration`` what there is of one."""
        self._calibration = calibration
        self._protections = protections
        self._embedding_path = embedding_path
        self._index = index
        self._catalog = index.catalog
        self._make_embedder = make_embedder

    def status(self) -> IndexStatus:
        """What the index holds and reflects."""
        counts, lock = self._catalog.counts(), read_lock(self._catalog)
        ledger = None if lock is None else self._catalog.truncations(window=lock.embedder.max_tokens)
        try:
            embedding = self._embedding_path()
        except RagEngineError as error:  # the rest of the status is worth having without a model
            embedding = EmbeddingPath("none", "none", error.public_message)
        return IndexStatus(
            index=self._index.folder.name,
            folder=str(self._index.folder),
            commit=counts.commit,
            documents=counts.documents,
            chunks=counts.chunks,
            sources=counts.sources,
            copies=self._catalog.sources.count_copies(),
            near_duplicates=tuple(self._catalog.near_duplicates.pairs()),
            lock=None if lock is None else lock.to_json(),
            embedding=embedding,
            caches=self._index.caches.on_disk(),
            dense=self._index.caches.dense_state(),
            calibration=self._calibration(),
            truncated=0 if ledger is None else len(ledger),
            truncations=() if ledger is None else ledger.first(TRUNCATIONS_TOLD),
            suspicious=self._catalog.count_suspicious(),
            suspicions=tuple(self._catalog.suspicious(most=SUSPICIONS_TOLD)),
            quarantined=tuple(self._catalog.sources.quarantined()),
            sandbox=self._protections(),
            bytes_on_disk=sum(file.stat().st_size for file in self._index.folder.rglob("*") if file.is_file()),
        )

    def examine(self) -> list[Finding]:
        """Everything that is wrong, the worst first."""
        return [*self._catalog_findings(), *self._cache_findings(), *self._lock_findings(), *self._quarantine()]

    def notes(self) -> list[str]:
        """What is worth knowing and no damage."""
        return [*self._near_duplicates(), *self._stale_calibration()]

    def _near_duplicates(self) -> Iterator[str]:
        found = self._catalog.near_duplicates.pairs()
        if found:
            dropped = sum(pair.dropped for pair in found)
            searched = f", {dropped:,} of them not searched" if dropped else ""
            yield f"{len(found):,} documents are nearly the same as another one{searched}: rag status --json lists them"

    def _stale_calibration(self) -> Iterator[str]:
        state = self._calibration()
        if state is not None and state.ignored is not None:
            yield f"{CALIBRATION_NAME} is ignored: {state.ignored}; {REMEDY}"

    def _catalog_findings(self) -> Iterator[Finding]:
        damage = self._catalog.integrity_findings()
        if damage:
            yield _damaged(self._catalog.path, "; ".join(damage[:3]))
            return
        for identifier, reason in self._catalog.broken_documents():
            yield Finding(f"the document {identifier}", reason, "rag doctor --repair, then rag ingest its file")

    def _cache_findings(self) -> Iterator[Finding]:
        commit = self._catalog.commit_number()
        if commit == 0:
            return  # nothing was ingested yet
        for name, state in self._index.caches.on_disk(read=True).items():
            if state == commit:
                continue
            why = f"it reflects commit {state} of {commit}" if isinstance(state, int) else state
            what = "the vocabulary" if name == "vocabulary" else f"the {name} index"
            yield Finding(what, why, "the next search or ingest mends it; or: rag doctor --repair")
        with self._catalog.reading() as present:
            held = self._index.caches.dense_at(present).numbers()
            if not np.array_equal(held, self._catalog.chunk_numbers()):
                yield Finding("the dense index", "it does not hold the catalog's chunks", "rag doctor --repair")

    def _lock_findings(self) -> Iterator[Finding]:
        if lock_file_differs(self._index.folder, self._catalog):
            yield Finding("rag.lock.json", "it is absent or differs from the catalog", "rag doctor --repair")
        try:
            check_embedder(self._catalog, self._make_embedder())
        except RagEngineError as error:
            yield Finding("the embedding model", error.message, error.hint)

    def _quarantine(self) -> Iterator[Finding]:
        for source in self._catalog.sources.quarantined():
            why = f"{source.error} ({source.history})"
            yield Finding(f"in quarantine: {source.source}", why, source.hint)

    def repair(self) -> list[str]:
        """Makes caches and lock file anew from the catalog; says what was done."""
        with self._index.writing(wait_seconds=WAIT_SECONDS, purpose="rag doctor --repair"):
            broken = [identifier for identifier, _ in self._catalog.broken_documents()]
            if broken:
                with self._catalog.change() as change:
                    for identifier in broken:
                        change.distrust(identifier)
            self._index.caches.discard()
            self._index.caches.save()
        return [
            *(f"the document {identifier} is replaced when its file is next ingested" for identifier in broken),
            "the dense and lexical indexes and the vocabulary were made anew from the catalog",
            "rag.lock.json was written",
        ]


def examine_damaged(path: Path, error: CatalogDamagedError) -> list[Finding]:
    """The finding about a catalog that cannot be opened: what can be saved of it."""
    return [_damaged(path, error.message)]


def _damaged(path: Path, reason: str) -> Finding:
    saved = sum(1 for _ in readable_documents(path)) if path.exists() else 0
    mend = (
        f"{saved} documents can be saved whole: rag doctor --repair"
        if saved
        else f"no document can be saved: {NOTHING_TO_SAVE}"
    )
    return Finding(f"the catalog {path}", reason, mend)


def _unread_sources(saved: Sequence[tuple[Document, str | None]]) -> Iterator[SourceRecord]:
    """The files that saved documents came from, to be read again; or noticed as gone."""
    ids: dict[str, list[str]] = {}
    for document, source in saved:
        if source is not None:
            ids.setdefault(source, []).append(document.id)
    for path, held in ids.items():
        stems = {identifier.rpartition("#")[0] or path for identifier in held}
        name = held[0] if len(held) == 1 else stems.pop() if len(stems) == 1 else path
        yield SourceRecord(path, name, sha256="", size=0, loader="", loader_version=0, complete=False)


def salvage(path: Path) -> tuple[int, Path]:
    """Sets a damaged catalog aside and begins a new one with every document that can be saved of it.

    The documents come without chunks: re-embedding makes these. Their files are read again at
    the next ingest. Returns how many were saved and where the damaged catalog lies.

    Raises:
        CatalogDamagedError: none can be saved; everything stays as it is.
    """
    with writer_lock(path.parent, wait_seconds=WAIT_SECONDS, purpose="rag doctor --repair"):
        saved = list(readable_documents(path)) if path.exists() else []
        if not saved:
            raise CatalogDamagedError(f"nothing of the catalog {path} can be saved", hint=NOTHING_TO_SAVE)
        # Made beside the damaged one: until it is whole, that one stays where it is.
        unfinished = path.with_name(f"salvaged{path.suffix}")
        unfinished.unlink(missing_ok=True)
        catalog = Catalog.create(unfinished)
        try:
            with catalog.change() as change:
                for document, source in saved:
                    change.put_document(PreparedDocument(document, document_digest(document), source, (), {}))
                for record in _unread_sources(saved):
                    change.record_source(record)
        finally:
            catalog.close()
        aside = set_aside(path)
        unfinished.rename(path)
    return len(saved), aside
