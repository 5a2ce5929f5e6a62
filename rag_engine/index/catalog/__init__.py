"""The catalog in SQLite: the only truth of an index."""

from rag_engine.index.catalog.catalog import Catalog, ChunkEntry, StretchEntry
from rag_engine.index.catalog.change import Change
from rag_engine.index.catalog.connection import FILE_NAME
from rag_engine.index.catalog.neighbourhood import Neighbourhood
from rag_engine.index.catalog.records import (
    CatalogCounts,
    ChangeCounts,
    FileStatus,
    PreparedDocument,
    SourceRecord,
    StoredDocument,
    document_digest,
    embedding_key,
)
from rag_engine.index.catalog.salvage import readable_documents, set_aside

__all__ = [
    "FILE_NAME",
    "Catalog",
    "CatalogCounts",
    "Change",
    "ChangeCounts",
    "ChunkEntry",
    "FileStatus",
    "Neighbourhood",
    "PreparedDocument",
    "SourceRecord",
    "StoredDocument",
    "StretchEntry",
    "document_digest",
    "embedding_key",
    "readable_documents",
    "set_aside",
]
