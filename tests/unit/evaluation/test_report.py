"""The report's JSON."""

import json

from tests.unit.evaluation.comparing import comparison, loss, report, values


def test_the_json_holds_what_scripts_and_later_comparisons_rely_on():
    made = report(fingerprint="abc", ranks={"q1": {"d1": 3}})
    assert json.loads(json.dumps(made.to_json(), allow_nan=False)) == {
        "gold": "small",
        "form": "beir",
        "mode": "hybrid",
        "metrics": {"nDCG@10": 0.73, "f1": None},
        "queries": 1,
        "significance": None,
        "learned": None,
        "seconds": 1.5,
        "fingerprint": "abc",
        "per_query": {"q1": {"nDCG@10": 0.73}},
        "ranks": {"q1": {"d1": 3}},
    }


def test_a_comparison_is_written_with_its_measures_and_losses():
    made = report(comparison(values(0.5), values(0.75), loss()))
    significance = json.loads(json.dumps(made.to_json(), allow_nan=False))["significance"]
    (measure,) = significance["metrics"]
    assert (measure["metric"], measure["difference"], measure["interval"], measure["p_holm"]) == (
        "nDCG@10",
        0.25,
        [0.25, 0.25],
        1.0,
    )
    assert (significance["worse"], significance["better"]) == ([], [])
    assert significance["losses"][0]["documents"] == [{"document": "d0", "before": 1, "now": 3, "above": ["x", "y"]}]
