"""The index: a catalog in SQLite as the only truth, FAISS and tantivy as caches of it."""

from rag_engine.index.catalog import (
    Catalog,
    Change,
    ChangeCounts,
    PreparedDocument,
    SourceRecord,
    StoredDocument,
    document_digest,
    embedding_key,
)
from rag_engine.index.index import Index
from rag_engine.index.lock import IndexLock, LockedEmbedder, check_embedder, read_lock, set_lock

__all__ = [
    "Catalog",
    "Change",
    "ChangeCounts",
    "Index",
    "IndexLock",
    "LockedEmbedder",
    "PreparedDocument",
    "SourceRecord",
    "StoredDocument",
    "check_embedder",
    "document_digest",
    "embedding_key",
    "read_lock",
    "set_lock",
]
