"""The index: a catalog in SQLite as the only truth, FAISS and tantivy as caches of it."""

from rag_engine.index.catalog import FILE_NAME as CATALOG_NAME
from rag_engine.index.catalog import (
    Catalog,
    Change,
    ChangeCounts,
    FileStatus,
    Neighbourhood,
    PreparedDocument,
    SourceRecord,
    StoredDocument,
    document_digest,
    embedding_key,
    readable_documents,
    set_aside,
)
from rag_engine.index.index import Index
from rag_engine.index.lock import (
    IndexLock,
    LockedEmbedder,
    check_embedder,
    lock_file_differs,
    read_lock,
    set_lock,
    write_lock_file,
)
from rag_engine.index.writer_lock import writer_lock

__all__ = [
    "CATALOG_NAME",
    "Catalog",
    "Change",
    "ChangeCounts",
    "FileStatus",
    "Index",
    "IndexLock",
    "LockedEmbedder",
    "Neighbourhood",
    "PreparedDocument",
    "SourceRecord",
    "StoredDocument",
    "check_embedder",
    "document_digest",
    "embedding_key",
    "lock_file_differs",
    "read_lock",
    "readable_documents",
    "set_aside",
    "set_lock",
    "write_lock_file",
    "writer_lock",
]
