"""Routes: language models made of language models, and the strategies by which they choose."""

from rag_engine.llm.router.routed_model import RoutedModel

__all__ = ["RoutedModel"]
