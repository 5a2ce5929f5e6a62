"""From files to documents: discovery, and loaders run in a capped process."""

from rag_engine.ingestion.discovery import Discovery, discover, document_name, hash_file, path_order
from rag_engine.ingestion.folder_walk import SourceFile
from rag_engine.ingestion.id_titles import title_from_id
from rag_engine.ingestion.ignore_rules import FILE_NAME as RULES_FILE
from rag_engine.ingestion.loaders import loader_versions, select_loader
from rag_engine.ingestion.read_ahead import ReadAhead, SourceReading
from rag_engine.ingestion.sandbox import ParsedSource, Sandbox
from rag_engine.ingestion.suspicion import examined

__all__ = [
    "RULES_FILE",
    "Discovery",
    "ParsedSource",
    "ReadAhead",
    "Sandbox",
    "SourceFile",
    "SourceReading",
    "discover",
    "document_name",
    "examined",
    "hash_file",
    "loader_versions",
    "path_order",
    "select_loader",
    "title_from_id",
]
