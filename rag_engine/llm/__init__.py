"""Language models: for now the extractive one, which needs no model, no key and no network."""

from rag_engine.llm.providers.extractive import ExtractiveModel

__all__ = ["ExtractiveModel"]
