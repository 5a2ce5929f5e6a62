"""From files to documents: discovery, and loaders run in a capped process."""

from rag_engine.ingestion.discovery import Discovery, SourceFile, discover, document_name, hash_file
from rag_engine.ingestion.loaders import loader_versions, select_loader
from rag_engine.ingestion.read_ahead import ReadAhead, SourceReading
from rag_engine.ingestion.sandbox import ParsedSource, Sandbox

__all__ = [
    "Discovery",
    "ParsedSource",
    "ReadAhead",
    "Sandbox",
    "SourceFile",
    "SourceReading",
    "discover",
    "document_name",
    "hash_file",
    "loader_versions",
    "select_loader",
]
