"""A search and the record of it are one thing, and the parts of a score add up to it."""

from __future__ import annotations

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.context_retrieval import HybridRetriever, rival, standing
from rag_engine.index import Index
from rag_engine.types.document import Document
from rag_engine.types.retrieval import Comparator, Comparison, Query, SearchMode
from tests.conftest import Ingest

SENTENCES = [
    f"The keeper of room {number} paints {colour} doors." for number in range(12) for colour in ("red", "blue")
]


@pytest.fixture
def retriever(index: Index, ingest: Ingest, hashing_embedder: HashingEmbedder) -> HybridRetriever:
    ingest(*(Document(id=f"d{first}", text=" ".join(SENTENCES[first:])) for first in range(0, len(SENTENCES), 3)))
    return HybridRetriever(
        index=index,
        embedder=hashing_embedder,
        stretch_share=0.6,
        feedback=0.4,
        neighbour_weight=0.15,
        passage_tokens=100,
    )


@pytest.mark.parametrize("mode", list(SearchMode))
@pytest.mark.parametrize("k", [1, 5, 50])
def test_the_passages_of_a_search_are_the_first_spans_of_its_record(
    retriever: HybridRetriever, mode: SearchMode, k: int
) -> None:
    query = Query("who paints the red doors of room 7?", k=k, mode=mode)
    found = retriever.retrieve(query)
    with retriever.searching(query) as search:
        spans = list(search.spans())
        assert list(search.passages) == found
        assert [(one.chunk, one.score) for one in found] == [(one.chunk, one.score) for one in spans[:k]]
        assert search.had_feedback == (mode is SearchMode.HYBRID)


@pytest.mark.parametrize("mode", list(SearchMode))
def test_the_parts_of_a_score_add_up_to_it_and_each_leg_has_a_share_where_it_was_asked(
    retriever: HybridRetriever, mode: SearchMode
) -> None:
    with retriever.searching(Query("who paints the red doors of room 7?", k=50, mode=mode)) as search:
        for passage in search.passages:
            parts = search.parts(passage.chunk, score=passage.score)
            assert sum(parts.values()) == pytest.approx(passage.score)
            assert (parts["dense"] == 0) or mode is not SearchMode.LEXICAL
            assert (parts["stretches"] == parts["lexical"] == 0) or mode is not SearchMode.DENSE
        assert any(search.parts(passage.chunk, score=None)["feedback"] for passage in search.passages) == (
            mode is SearchMode.HYBRID
        )


def test_the_standing_of_a_document_is_that_of_its_first_passage(retriever: HybridRetriever) -> None:
    with retriever.searching(Query("who paints the red doors of room 7?", k=50)) as search:
        for document in {passage.document_id for passage in search.passages}:
            first = next(passage for passage in search.passages if passage.document_id == document)
            stood = standing(search, search.view.matching(Comparison("id", Comparator.EQUAL, document)))
            assert (stood.passage, stood.score, stood.chunk) == (first.rank, first.score, first.chunk)
            against = rival(search, search.passages[0], stood)
            assert (against.won_by is None) == (first.rank == 1)
            assert sum(against.ahead_by.values()) == pytest.approx(search.passages[0].score - first.score)
