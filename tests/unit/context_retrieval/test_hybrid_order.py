"""What comes after the fusion: reranking, diversity and agreement, in an index of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.context_retrieval import HybridRetriever, OptimizedRetriever, PassageOrder
from rag_engine.index import Index
from rag_engine.semantic_chunking import split_sentences
from rag_engine.types.document import Document
from rag_engine.types.retrieval import Passage, Query, SearchMode
from tests.conftest import Ingest

ANIMALS = ["otter", "beaver", "heron", "badger", "falcon", "salmon", "lizard", "rabbit"]


class CountsBadgers:
    """A reranker that likes badgers."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        self.read.append(len(texts))
        return [float(text.count("badger")) for text in texts]


@pytest.fixture
def retriever(index: Index, ingest: Ingest, hashing_embedder: HashingEmbedder) -> Any:
    ingest(*(Document(id=animal, text=f"The {animal} lives at the river all year long.") for animal in ANIMALS))

    def make(**options: Any) -> HybridRetriever:
        return HybridRetriever(index=index, embedder=hashing_embedder, order=PassageOrder(**options))

    return make


def ids(passages: Sequence[Passage]) -> list[str]:
    return [passage.document_id for passage in passages]


@pytest.mark.parametrize("mode", list(SearchMode))
def test_the_reranker_reads_its_depth_of_passages_and_moves_the_one_it_likes(retriever: Any, mode: SearchMode) -> None:
    likes = CountsBadgers()
    found = retriever(reranker=likes, rerank_depth=8, rerank_weight=1.0).retrieve(Query("heron river", k=3, mode=mode))
    assert likes.read == [8]  # also those that k alone would not have brought
    assert found[0].document_id == "badger"
    assert found[0].scores["rerank"] == 1.0
    assert [passage.rank for passage in found] == [1, 2, 3]


@pytest.mark.parametrize("mode", list(SearchMode))
def test_without_diversity_the_order_is_the_plain_one_and_with_it_the_same_passages_come(
    retriever: Any, mode: SearchMode
) -> None:
    query = Query("the heron at the river", k=8, mode=mode)
    plain = retriever().retrieve(query)
    assert retriever(diversity=0.0).retrieve(query) == plain
    diverse = retriever(diversity=0.6).retrieve(query)
    assert sorted(ids(diverse)) == sorted(ids(plain))
    assert diverse[0].document_id == plain[0].document_id
    assert [passage.score for passage in diverse] == [passage.score for passage in plain]
    own = {passage.document_id: passage.score for passage in plain}
    assert all(passage.scores["relevance"] == own[passage.document_id] for passage in diverse)


def test_a_passage_said_before_comes_after_another_one_with_diversity(retriever: Any, ingest: Ingest) -> None:
    ingest(Document(id="otter-again", text="The otter lives at the river all year long, it is said."))
    query = Query("otter river", k=3)
    assert set(ids(retriever().retrieve(query))[:2]) == {"otter", "otter-again"}
    assert set(ids(retriever(diversity=0.9).retrieve(query))[:2]) != {"otter", "otter-again"}


@pytest.mark.parametrize("options", [{"reranker": CountsBadgers(), "rerank_depth": 4}, {"diversity": 0.5}])
def test_asking_for_more_results_changes_none_of_those_before(retriever: Any, options: dict[str, Any]) -> None:
    asked = retriever(**options)
    most = ids(asked.retrieve(Query("heron river", k=8)))
    for k in range(1, 8):
        assert ids(asked.retrieve(Query("heron river", k=k))) == most[:k]


def test_asking_beyond_the_depth_changes_nothing_before_with_feedback_too(
    index: Index, ingest: Ingest, hashing_embedder: HashingEmbedder
) -> None:
    ingest(*(Document(id=f"{a}-{b}", text=f"The {a} and the {b} live at the river.") for a in ANIMALS for b in ANIMALS))
    retriever = HybridRetriever(index=index, embedder=hashing_embedder, depth=10, feedback=0.9, stretch_share=0.7)
    most = retriever.retrieve(Query("heron river otter", k=64))
    assert len(most) == 64
    assert any("feedback" in passage.scores for passage in most)
    for k in (1, 3, 10, 20, 40):
        assert ids(retriever.retrieve(Query("heron river otter", k=k))) == ids(most)[:k]


def test_passages_name_what_contradicts_them_where_sentences_can_be_told(retriever: Any, ingest: Ingest) -> None:
    ingest(
        Document(id="old", text="The mountain hut opens on 5 May every year for all hikers."),
        Document(id="new", text="The mountain hut opens on 9 June every year for all hikers."),
    )
    query = Query("when does the mountain hut open?", k=2)
    plain = retriever()
    assert [passage.conflicts for passage in plain.retrieve(query)] == [(), ()]
    telling = OptimizedRetriever(
        retriever=plain, optimizer=None, admits=lambda _: True, split_sentences=split_sentences
    )
    first, second = telling.retrieve(query)
    assert [(conflict.rank, conflict.what.value) for conflict in first.conflicts] == [(2, "date")]
    assert [(conflict.rank, conflict.what.value) for conflict in second.conflicts] == [(1, "date")]
