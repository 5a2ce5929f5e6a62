"""Finding the passages for a question."""

from rag_engine.context_retrieval.drawn_on import drawn_on, share_of_strongest
from rag_engine.context_retrieval.filter_parts import false_parts, without
from rag_engine.context_retrieval.filters import parse_filter, shown
from rag_engine.context_retrieval.hybrid import HybridRetriever
from rag_engine.context_retrieval.mode import parse_mode
from rag_engine.context_retrieval.optimized import OptimizedRetriever, planned
from rag_engine.context_retrieval.passage_order import PassageOrder
from rag_engine.context_retrieval.question import clean_question
from rag_engine.context_retrieval.rerank import CrossEncoderReranker
from rag_engine.context_retrieval.search_record import Search
from rag_engine.context_retrieval.source_pairs import conflicts_among, duplicates_among
from rag_engine.context_retrieval.standing import rival, standing

__all__ = [
    "CrossEncoderReranker",
    "HybridRetriever",
    "OptimizedRetriever",
    "PassageOrder",
    "Search",
    "clean_question",
    "conflicts_among",
    "drawn_on",
    "duplicates_among",
    "false_parts",
    "parse_filter",
    "parse_mode",
    "planned",
    "rival",
    "share_of_strongest",
    "shown",
    "standing",
    "without",
]
