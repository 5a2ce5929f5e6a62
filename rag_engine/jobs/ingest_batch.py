"""Documents on their way into one transaction: chunked as they come, embedded and committed together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from rag_engine import tracing
from rag_engine.index import Catalog, Change, ChangeCounts, PreparedDocument, document_digest, embedding_key
from rag_engine.protocols import Chunker, Embedder
from rag_engine.tracing import names
from rag_engine.types.document import Chunk, Document

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors

Operation: TypeAlias = Callable[[Change], None]


@dataclass(slots=True)
class BatchTotals:
    """What all batches of an ingest did so far."""

    changes: ChangeCounts = field(default_factory=ChangeCounts)
    embedded: int = 0
    truncated: int = 0


class IngestBatch:
    """Collects documents and notes about sources; ``commit`` writes them in one transaction, in their order."""

    def __init__(self, *, catalog: Catalog, chunker: Chunker, embedder: Embedder) -> None:
        self._catalog = catalog
        self._chunker = chunker
        self._embedder = embedder
        self._operations: list[Operation] = []
        self._texts: dict[bytes, str] = {}
        self._vectors: dict[bytes, Vectors] = {}
        self.document_ids: set[str] = set()
        self.totals = BatchTotals()

    @property
    def waiting_chunks(self) -> int:
        """Chunks to be embedded at the next commit, before those are taken off that have a vector already."""
        return len(self._texts)

    def put_document(self, document: Document, source: str | None) -> None:
        """Chunks a document and queues it."""
        prepared = self._prepared(document, source)
        self._operations.append(lambda change: change.put_document(prepared))

    def replace_chunks(self, document: Document) -> None:
        """Chunks a stored document anew and queues its chunks."""
        prepared = self._prepared(document, None)
        self._operations.append(lambda change: change.replace_chunks(prepared))

    def note(self, operation: Operation) -> None:
        """Queues something to be done in the transaction, after what was queued before."""
        self._operations.append(operation)

    def _prepared(self, document: Document, source: str | None) -> PreparedDocument:
        with tracing.span("ingest chunk"):
            chunks = self._chunker.chunk(document)
        self.totals.truncated += sum(chunk.tokens > self._embedder.identity.max_tokens for chunk in chunks)
        self._texts.update(_texts_by_key(chunks))
        self.document_ids.add(document.id)
        return PreparedDocument(
            document=document,
            digest=document_digest(document),
            source=source,
            chunks=chunks,
            vectors=self._vectors,
        )

    def commit(self) -> None:
        """Embeds what has no vector yet and writes everything queued, all or nothing."""
        if not self._operations:
            return
        self._embed(self._catalog.known_vectors(list(self._texts)))
        with tracing.span("ingest commit"), self._catalog.change() as change:
            self._apply(change)

    def commit_within(self, change: Change) -> None:
        """The same as a part of a larger transaction, in which every vector was made anew."""
        self._embed(set())
        self._apply(change)

    def _embed(self, known: set[bytes]) -> None:
        missing = {key: text for key, text in self._texts.items() if key not in known}
        if missing:
            with tracing.span("ingest embed", {names.TEXTS: len(missing)}):
                self._vectors.update(zip(missing, self._embedder.embed(list(missing.values())), strict=True))
            self.totals.embedded += len(missing)

    def _apply(self, change: Change) -> None:
        for operation in self._operations:
            operation(change)
        self.totals.changes += change.take_counts()
        self._operations.clear()
        self._texts.clear()
        self.document_ids.clear()
        # A new dictionary: the prepared documents of this batch hold the old one.
        self._vectors = {}


def _texts_by_key(chunks: list[Chunk]) -> dict[bytes, str]:
    return {embedding_key(chunk.embedded_text): chunk.embedded_text for chunk in chunks}
