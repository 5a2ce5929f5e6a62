"""Finding the passages for a question."""

from rag_engine.context_retrieval.drawn_on import drawn_on
from rag_engine.context_retrieval.filter_parts import false_parts, without
from rag_engine.context_retrieval.filters import parse_filter, shown
from rag_engine.context_retrieval.hybrid import HybridRetriever
from rag_engine.context_retrieval.mode import parse_mode
from rag_engine.context_retrieval.optimized import OptimizedRetriever, planned
from rag_engine.context_retrieval.question import clean_question
from rag_engine.context_retrieval.search_record import Search
from rag_engine.context_retrieval.standing import rival, standing

__all__ = [
    "HybridRetriever",
    "OptimizedRetriever",
    "Search",
    "clean_question",
    "drawn_on",
    "false_parts",
    "parse_filter",
    "parse_mode",
    "planned",
    "rival",
    "shown",
    "standing",
    "without",
]
