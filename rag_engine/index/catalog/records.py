"""What the catalog is told and what it tells: records of sources, documents ready to be stored, and counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from rag_engine.types.document import Chunk, Document

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors


@dataclass(frozen=True, slots=True)
class FileStatus:
    """What a folder says of a file: nanoseconds since 1970 at which its content and its inode last changed, and the
    inode's number."""

    modified: int
    changed: int
    inode: int


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A file that documents came from.

    ``name`` is the id of its document, or the stem of its documents' ids. ``complete`` is False
    while documents are still coming in. ``status`` is what its folder said of it then, None where it had changed so
    lately that the same may be said of other bytes. ``same_as`` is the path of the source with the same bytes that
    has the documents of both; None for one that has its own.
    """

    path: str
    name: str
    sha256: str
    size: int
    loader: str
    loader_version: int
    complete: bool
    status: FileStatus | None = None
    same_as: str | None = None

    @property
    def status_columns(self) -> tuple[int | None, int | None, int | None]:
        """``status`` as it is stored."""
        status = self.status
        return (None, None, None) if status is None else (status.modified, status.changed, status.inode)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as the catalog knows it, without its text."""

    number: int
    id: str
    source: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document ready to be stored: its chunks, and the vectors of those the catalog has none for.

    ``vectors`` maps ``embedding_key(chunk.embedded_text)`` to a row of shape (dimension,).
    """

    document: Document
    digest: str
    source: str | None
    chunks: Sequence[Chunk]
    vectors: dict[bytes, Vectors]


@dataclass(slots=True)
class ChangeCounts:
    """What a transaction did."""

    added: int = 0
    updated: int = 0
    deleted: int = 0
    chunks_added: int = 0
    chunks_reused: int = 0
    chunks_deleted: int = 0

    def __iadd__(self, other: ChangeCounts) -> ChangeCounts:
        for count in fields(self):
            setattr(self, count.name, getattr(self, count.name) + getattr(other, count.name))
        return self


@dataclass(frozen=True, slots=True)
class CatalogCounts:
    """How much the catalog holds."""

    commit: int
    documents: int
    chunks: int
    sources: int
    quarantined: int


def embedding_key(embedded_text: str) -> bytes:
    """Under what a text's vector is stored: 16 bytes of BLAKE2b over the text that the embedder reads."""
    return hashlib.blake2b(embedded_text.encode(), digest_size=16).digest()


def document_digest(document: Document) -> str:
    """SHA-256 over everything of a document but its id: equal digests make equal chunks."""
    content = [
        document.text,
        document.title,
        dict(document.metadata),
        [asdict(block) for block in document.blocks],
        [asdict(page) for page in document.pages],
    ]
    if document.truncations:  # most have none: their digests stay what they were before these were told
        content.append([asdict(cut) for cut in document.truncations])
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
