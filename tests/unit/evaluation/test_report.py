"""The report's JSON."""

import json

from rag_engine.evaluation import EvaluationReport, GoldForm, compare
from rag_engine.types.retrieval import SearchMode


def report(**fields) -> EvaluationReport:
    return EvaluationReport(
        gold="scifact",
        form=GoldForm.BEIR,
        mode=SearchMode.HYBRID,
        metrics={"nDCG@10": 0.73, "f1": None},
        per_query={"q1": {"nDCG@10": 0.73}},
        queries=1,
        seconds=1.5,
        **fields,
    )


def test_the_json_holds_what_scripts_rely_on():
    assert json.loads(json.dumps(report().to_json(), allow_nan=False)) == {
        "gold": "scifact",
        "form": "beir",
        "mode": "hybrid",
        "metrics": {"nDCG@10": 0.73, "f1": None},
        "queries": 1,
        "significance": None,
        "seconds": 1.5,
    }


def test_a_comparison_is_written_with_its_measure_and_interval():
    significance = compare({"q1": 0.5}, {"q1": 0.75}, measure="nDCG@10")
    assert json.loads(json.dumps(report(significance=significance).to_json()))["significance"] == {
        "measure": "nDCG@10",
        "mean_difference": 0.25,
        "p_value": 1.0,
        "interval": [0.25, 0.25],
        "worse": 0,
        "better": 1,
        "queries": 1,
    }
