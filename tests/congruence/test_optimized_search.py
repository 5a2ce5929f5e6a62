"""Searches with the optimiser against searches without, over a real index."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.context_retrieval import HybridRetriever, OptimizedRetriever
from rag_engine.index import Index
from rag_engine.query_optimizer import Constraints, Decomposition, Gate, Learning, Optimizer, Simplification
from rag_engine.types.document import Document
from rag_engine.types.optimization import StrategyName
from rag_engine.types.retrieval import Comparator, Comparison, Query

NAMES = ["Mark Doyle", "Jane Smith", "Amelia Brandt", "Graham Hill", "Emma Stone"]
QUESTIONS = [
    "Where was the man who made Killing Time born?",
    "Who lived longer, Mark Doyle or Jane Smith?",
    "Could you please tell me about the harbour, not about parking?",
    "films from 2003 about the harbour",
    "author: Hill harbour",
    "who is Emma Stone and what does Graham Hill say of her",
    "harbour",
]


@pytest.fixture
def library(index: Index, ingest: Callable[..., object], hashing_embedder: HashingEmbedder) -> OptimizedRetriever:
    """Forty documents that name each other, searched with the optimiser."""
    ingest(
        *(
            Document(
                f"d{number}",
                f"A film about the harbour and parking, number {number}. It was made by {NAMES[number % 5]} in Galway.",
                NAMES[number] if number < len(NAMES) else f"Killing Time {number}",
                {"year": 2000 + number % 7, "author": NAMES[number % 5]},
            )
            for number in range(40)
        )
    )
    optimizer = Optimizer(
        facts=index.catalog.facts,
        strategies=[Simplification(), Constraints(), Decomposition()],
        gate=Gate(Learning()),
        enabled=tuple(StrategyName),
        today=lambda: date(2026, 1, 1),
    )
    inner = HybridRetriever(index=index, embedder=hashing_embedder, passage_tokens=100)
    return OptimizedRetriever(retriever=inner, optimizer=optimizer, admits=index.catalog.facts.admits)


@pytest.mark.parametrize("question", QUESTIONS)
def test_asking_for_more_results_changes_none_of_those_before(library: OptimizedRetriever, question: str) -> None:
    longest = library.retrieve(Query(question, k=40))
    for k in (1, 2, 5, 10, 30):
        shorter = library.retrieve(Query(question, k=k))
        assert [hit.chunk for hit in shorter] == [hit.chunk for hit in longest][: len(shorter)]
        assert [hit.rank for hit in shorter] == list(range(1, len(shorter) + 1))
        assert all(hit.score <= shorter[0].score for hit in shorter)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_users_filter_holds_for_every_result(library: OptimizedRetriever, question: str) -> None:
    condition = Comparison("year", Comparator.EQUAL, 2004)
    found = library.retrieve(Query(question, k=10, filter=condition))
    assert found
    assert all(hit.metadata["year"] == 2004 for hit in found)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(min_size=1, max_size=120).filter(lambda text: text.strip(" \n\t").isprintable() and text.strip()))
def test_any_question_is_searched_for_and_its_passages_do_not_overlap(library: OptimizedRetriever, text: str) -> None:
    outcome = library.search(Query(text, k=10))
    assert outcome.optimized is not None
    seen: set[tuple[str, int]] = set()
    for hit in outcome.passages:
        characters = {(hit.document_id, place) for place in range(hit.start, hit.end)}
        assert not characters & seen
        seen |= characters
