"""Loaders, one file per family of formats; each reads the bytes of one file inside the sandbox."""

from rag_engine.ingestion.loaders.selection import loader_versions, select_loader

__all__ = ["loader_versions", "select_loader"]
