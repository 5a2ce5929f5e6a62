"""The index: a catalog in SQLite as the only truth, FAISS and tantivy as caches of it."""

from rag_engine.index.catalog import (
    Catalog,
    ChangeCounts,
    PreparedDocument,
    SourceRecord,
    document_digest,
    embedding_key,
)
from rag_engine.index.index import Index
from rag_engine.index.lock import IndexLock, check_embedder, read_lock, set_lock

__all__ = [
    "Catalog",
    "ChangeCounts",
    "Index",
    "IndexLock",
    "PreparedDocument",
    "SourceRecord",
    "check_embedder",
    "document_digest",
    "embedding_key",
    "read_lock",
    "set_lock",
]
