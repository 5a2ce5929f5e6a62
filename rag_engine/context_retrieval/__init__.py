"""Finding the passages for a question."""

from rag_engine.context_retrieval.filters import parse_filter
from rag_engine.context_retrieval.hybrid import HybridRetriever

__all__ = ["HybridRetriever", "parse_filter"]
