"""The curves of a report, against ir_measures and by hand."""

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.evaluation import gold_ranks, precision_recall, risk_coverage
from rag_engine.evaluation.curves import answered_share

DOCUMENTS = [f"d{number}" for number in range(12)]
RANKING = st.lists(st.sampled_from(DOCUMENTS), min_size=1, unique=True)
# trec_eval rounds a level of recall to whole documents as int(level * relevant + .9), which for most other numbers of
# relevant documents is now and then one too few.
GRADES = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 2), min_size=1).filter(
    lambda grades: sum(grade >= 1 for grade in grades.values()) in (0, 1, 2, 5, 10)
)


@given(st.lists(st.tuples(RANKING, GRADES), min_size=1, max_size=4))
def test_interpolated_precision_is_that_of_trec_eval(cases):
    run = {f"q{number}": [(document, 1.0) for document in ranking] for number, (ranking, _) in enumerate(cases)}
    qrels = {f"q{number}": grades for number, (_, grades) in enumerate(cases)}
    curve = precision_recall(qrels, gold_ranks(qrels, run, depth=100))
    judged = {query: grades for query, grades in qrels.items() if max(grades.values()) >= 1}
    if not judged:
        assert curve == ()
        return
    measures = [ir_measures.IPrec @ level for level, _ in curve]
    scores = {
        query: {document: float(-rank) for rank, (document, _) in enumerate(ranking)} for query, ranking in run.items()
    }
    totals = dict.fromkeys(measures, 0.0)
    for metric in ir_measures.iter_calc(measures, judged, scores):
        if metric.query_id in judged:
            totals[metric.measure] += metric.value
    assert [y for _, y in curve] == pytest.approx([totals[measure] / len(judged) for measure in measures])


def test_a_question_for_which_nothing_is_found_counts_as_no_precision_at_any_recall():
    qrels = {"found": {"a": 1}, "not": {"b": 1}, "nothing relevant": {"c": 0}}
    curve = precision_recall(qrels, {"found": {"a": 2}, "not": {}})
    assert curve == tuple((level / 10, 0.25) for level in range(11))


def test_ranks_are_those_of_relevant_documents_within_the_depth():
    qrels = {"q": {"a": 1, "b": 0, "c": 2, "d": 1}, "none": {"a": 1}}
    run = {"q": [("b", 3.0), ("a", 2.0), ("x", 1.0), ("c", 0.5)]}
    assert gold_ranks(qrels, run, depth=3) == {"q": {"a": 2}, "none": {}}
    assert gold_ranks(qrels, run, depth=4) == {"q": {"a": 2, "c": 4}, "none": {}}


def test_risk_rises_with_coverage_where_confidence_tells_right_from_wrong():
    per_query = {
        "sure": {"abstained": 0.0, "confidence": 0.9, "right": 1.0},
        "unsure": {"abstained": 0.0, "confidence": 0.6, "right": 0.0},
        "refused": {"abstained": 1.0, "confidence": 0.95, "right": 0.0},
        "not known": {"abstained": 0.0, "confidence": 0.5},
        "not asked": {"nDCG@10": 1.0},
    }
    assert risk_coverage(per_query) == ((1 / 3, 0.0), (2 / 3, 1 / 2), (1.0, 2 / 3))
    assert answered_share(per_query) == pytest.approx(2 / 3)
    assert risk_coverage({}) == ()
    assert answered_share({}) == 0.0
