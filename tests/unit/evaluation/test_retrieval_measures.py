"""Retrieval measures against their formulas, and what must not change them."""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine.errors import GoldSetError, UsageError
from rag_engine.evaluation import best_chunk_per_document, check_run, parse_measure, score_run
from rag_engine.types.retrieval import Passage

DOCUMENTS = st.sampled_from([f"d{number}" for number in range(15)])
QRELS = st.dictionaries(st.sampled_from("abcd"), st.dictionaries(DOCUMENTS, st.integers(0, 3), min_size=1), min_size=1)
RUNS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.lists(st.tuples(DOCUMENTS, st.floats(-5, 5)), max_size=15, unique_by=lambda pair: pair[0]),
)


def ndcg_at_10(grades, ranking):
    def gain(values):
        return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(values[:10], start=1))

    ideal = gain(sorted(grades.values(), reverse=True))
    return gain([grades.get(document, 0) for document in ranking]) / ideal if ideal else 0.0


def recall_at_5(grades, ranking):
    relevant = {document for document, grade in grades.items() if grade > 0}
    return len(relevant & set(ranking[:5])) / len(relevant) if relevant else 0.0


def reciprocal_rank_at_10(grades, ranking):
    hits = [rank for rank, document in enumerate(ranking[:10], start=1) if grades.get(document, 0) > 0]
    return 1 / hits[0] if hits else 0.0


def average_precision(grades, ranking):
    relevant = sum(grade > 0 for grade in grades.values())
    hits = [rank for rank, document in enumerate(ranking, start=1) if grades.get(document, 0) > 0]
    return sum(found / rank for found, rank in enumerate(hits, start=1)) / relevant if relevant else 0.0


ORACLES = {"nDCG@10": ndcg_at_10, "R@5": recall_at_5, "RR@10": reciprocal_rank_at_10, "AP": average_precision}


def passage(document: str, score: float) -> Passage:
    return Passage(rank=1, score=score, document_id=document, title="", chunk=1, start=0, end=1, text="x")


@settings(max_examples=60, deadline=None)
@given(QRELS, RUNS)
def test_measures_equal_their_formulas_whatever_the_scores_in_the_ranking(qrels, run):
    scores = score_run(qrels, run, ORACLES)
    for query, grades in qrels.items():
        ranking = [document for document, _ in run.get(query, [])]
        for name, oracle in ORACLES.items():
            assert scores.per_query[query][name] == pytest.approx(oracle(grades, ranking), abs=1e-6), name
    for name in ORACLES:
        values = [scores.per_query[query][name] for query in qrels]
        assert scores.metrics[name] == pytest.approx(sum(values) / len(values))


def test_a_judged_query_without_a_result_scores_zero_and_counts():
    qrels = {"a": {"d1": 1}, "b": {"d2": 1}, "c": {"d3": 1}, "d": {"d4": 1}}
    scores = score_run(qrels, {"a": [("d1", 1.0)], "b": []})
    assert scores.metrics["nDCG@10"] == 0.25
    assert set(scores.per_query) == set(qrels)
    assert set(scores.per_query["d"].values()) == {0.0}


def test_a_query_that_is_not_judged_does_not_count():
    qrels = {"a": {"d1": 1}}
    assert score_run(qrels, {"a": [("d1", 1.0)], "z": [("d9", 1.0)]}).per_query.keys() == {"a"}


def test_tied_scores_keep_the_order_of_the_ranking():
    first_wins = score_run({"a": {"d1": 1}}, {"a": [("d1", 0.5), ("d2", 0.5)]}, ["RR@10", "P@1"])
    last_wins = score_run({"a": {"d2": 1}}, {"a": [("d1", 0.5), ("d2", 0.5)]}, ["RR@10", "P@1"])
    assert (first_wins.metrics, last_wins.metrics) == ({"RR@10": 1.0, "P@1": 1.0}, {"RR@10": 0.5, "P@1": 0.0})


def test_a_document_ranked_twice_is_refused():
    with pytest.raises(GoldSetError, match="query a names a document twice"):
        score_run({"a": {"d1": 1}}, {"a": [("d1", 1.0), ("d1", 0.5)]})


def test_scoring_without_judgements_is_refused():
    with pytest.raises(GoldSetError, match="no query is judged"):
        score_run({}, {"a": [("d1", 1.0)]})


def test_a_run_of_another_gold_set_is_refused():
    with pytest.raises(GoldSetError, match=r"questions that the gold set does not have \(1\): z"):
        check_run({"a": [], "z": []}, {"a", "b"})
    check_run({"a": []}, {"a", "b"})


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("nDCG@10", "nDCG@10"),
        ("ndcg@10", "nDCG@10"),
        ("recall@100", "R@100"),
        ("mrr", "RR"),
        ("MRR@10", "RR@10"),
        ("map", "AP"),
        ("map@100", "AP@100"),
        ("hit_rate@5", "Success@5"),
        ("precision@5", "P@5"),
        ("Rprec", "Rprec"),
        (" R@05 ", "R@5"),
    ],
)
def test_ranx_names_are_read_as_ir_measures_names_them(name, known):
    assert parse_measure(name) == known
    assert set(score_run({"a": {"d1": 1}}, {}, [name, known]).metrics) == {known}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bleu", "unknown measure 'bleu' .*nDCG@k"),
        ("", "unknown measure ''"),
        ("recall", "R needs a cutoff"),
        ("nDCG@0", "unfit cutoff"),
        ("nDCG@", "unfit cutoff"),
        ("nDCG@-1", "unfit cutoff"),
        ("Rprec@5", "unfit cutoff"),
    ],
)
def test_an_unknown_measure_is_refused_and_the_mend_said(name, said):
    with pytest.raises(UsageError) as caught:
        parse_measure(name)
    assert re.search(said, caught.value.public_message)


def test_a_document_stands_where_its_best_chunk_does():
    passages = [passage("d1", 0.9), passage("d2", 0.8), passage("d1", 0.7), passage("d3", 0.1)]
    assert best_chunk_per_document(passages) == [("d1", 0.9), ("d2", 0.8), ("d3", 0.1)]
