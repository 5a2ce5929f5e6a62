"""Finding the passages for a question."""

from rag_engine.context_retrieval.drawn_on import drawn_on
from rag_engine.context_retrieval.filters import parse_filter
from rag_engine.context_retrieval.hybrid import HybridRetriever
from rag_engine.context_retrieval.mode import parse_mode
from rag_engine.context_retrieval.optimized import OptimizedRetriever
from rag_engine.context_retrieval.question import clean_question

__all__ = ["HybridRetriever", "OptimizedRetriever", "clean_question", "drawn_on", "parse_filter", "parse_mode"]
