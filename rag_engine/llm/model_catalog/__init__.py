"""What is known of language models before they are asked, as data."""

from rag_engine.llm.model_catalog.catalog import ModelCatalog

__all__ = ["ModelCatalog"]
