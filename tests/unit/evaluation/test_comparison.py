"""Comparing two evaluations over a family of measures."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import GoldSetError
from rag_engine.evaluation import compare, family_values
from rag_engine.evaluation.significance import holm
from tests.unit.evaluation.comparing import WORSE, comparison, question, values


def noisy(seed: int, count: int = 300, loss: float = 0.0) -> tuple[dict[str, float], dict[str, float]]:
    generator = np.random.default_rng(seed)
    baseline = generator.uniform(0.3, 0.9, size=count)
    return values(*baseline), values(*(baseline - generator.normal(loss, 0.1, size=count)))


def test_a_run_that_is_worse_on_most_of_many_queries_is_significantly_worse():
    before, now = noisy(5, loss=0.05)
    (found,) = compare({"AP": before}, {"AP": now})
    assert found.worse
    assert not found.better
    assert found.interval[0] < found.difference < found.interval[1] < 0
    assert found.value - found.baseline == pytest.approx(found.difference)
    assert found.queries_worse + found.queries_better == found.queries == 300
    assert found.queries_worse > found.queries_better
    assert found.smallest_effect is not None


def test_turning_the_comparison_round_turns_every_difference_and_keeps_every_p_value():
    before, now = noisy(7, count=40, loss=0.08)
    (there,), (back,) = compare({"AP": before}, {"AP": now}), compare({"AP": now}, {"AP": before})
    assert there.difference == pytest.approx(-back.difference)
    assert (there.p_value, there.p_holm, there.worse) == (back.p_value, back.p_holm, back.better)
    assert (there.queries_worse, there.queries_better) == (back.queries_better, back.queries_worse)


def test_the_p_values_are_corrected_over_the_measures_that_both_have():
    before, now = noisy(9, loss=0.012)
    other_before, other_now = noisy(11)
    alone = compare({"nDCG@10": before}, {"nDCG@10": now, "f1": other_now})
    both = compare({"nDCG@10": before, "f1": other_before}, {"nDCG@10": now, "f1": other_now})
    assert [found.metric for found in alone] == ["nDCG@10"]
    assert alone[0].p_holm == alone[0].p_value == both[0].p_value
    assert [found.p_holm for found in both] == holm([found.p_value for found in both])
    assert both[0].p_holm > alone[0].p_holm
    assert both[0].smallest_effect > alone[0].smallest_effect


def test_measures_over_different_questions_are_each_measured_on_their_own():
    before = {"f1": values(1, 1, 1, 0), "refusal_recall": {"u0": 1.0}}
    now = {"f1": values(1, 0, 1, 1), "refusal_recall": {"u0": 0.0}}
    f1, refusal = compare(before, now)
    assert (f1.queries, f1.baseline, f1.value, f1.queries_worse, f1.queries_better) == (4, 0.75, 0.75, 1, 1)
    assert (refusal.queries, refusal.difference, refusal.interval) == (1, -1.0, (-1.0, -1.0))


@given(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]))
def test_one_question_shows_nothing_whatever_it_loses(difference):
    (found,) = compare({"nDCG@10": {"q": 0.5 - difference / 2}}, {"nDCG@10": {"q": 0.5 + difference / 2}})
    assert (found.worse, found.better, found.p_value, found.smallest_effect) == (False, False, 1.0, None)
    assert found.note == "one question can show nothing: a measure needs 6 at least"


def test_equal_runs_do_not_differ_and_it_is_said_that_nothing_varies():
    (found,) = compare({"AP": values(*[0.5] * 20)}, {"AP": values(*[0.5] * 20)})
    assert (found.difference, found.p_value, found.interval, found.worse, found.better) == (0, 1, (0, 0), False, False)
    assert found.note == "no question differs, so nothing tells how much measures vary"


def test_the_same_input_gives_the_same_figures_whatever_the_order_of_the_questions():
    before, now = noisy(13, count=60)
    turned = {"AP": dict(reversed(now.items()))}
    first, second = compare({"AP": before}, {"AP": now})[0], compare({"AP": before}, turned)[0]
    assert (first.p_value, first.interval, first.smallest_effect) == (
        second.p_value,
        second.interval,
        second.smallest_effect,
    )


def test_measures_of_other_questions_are_refused_and_the_questions_named():
    with pytest.raises(GoldSetError, match="only one has q2"):
        compare({"AP": values(0.1, 0.2)}, {"AP": values(0.1, 0.2, 0.3)})


def test_nothing_in_common_is_no_comparison_that_passes():
    with pytest.raises(GoldSetError, match="no measure"):
        compare({"AP": values(0.1)}, {"f1": values(0.1)})


def test_the_family_is_taken_from_what_each_question_was_scored_in():
    questions = [question("a", answerable=True), question("u", answerable=False), question("n")]
    per_query = {
        "a": {"nDCG@10": 0.5, "P@5": 0.2, "f1": 0.3, "abstained": 0.0},
        "u": {"f1": 1.0, "abstained": 1.0, "confidence": 0.1},
        "n": {"nDCG@10": 1.0, "abstained": 1.0},
    }
    assert family_values(questions, per_query) == {
        "nDCG@10": {"a": 0.5, "n": 1.0},
        "f1": {"a": 0.3, "u": 1.0},
        "refusal_recall": {"u": 1.0},
    }


def test_the_json_names_what_is_worse_and_can_be_written():
    before, now = WORSE
    fields = json.loads(json.dumps(comparison(values(*before), values(*now)).to_json(), allow_nan=False))
    assert (fields["baseline"], fields["worse"], fields["better"], fields["level"]) == (
        "before.run",
        ["nDCG@10"],
        [],
        0.05,
    )
    assert fields["metrics"][0].keys() == {
        "metric",
        "baseline",
        "value",
        "difference",
        "interval",
        "p_value",
        "p_holm",
        "smallest_effect",
        "note",
        "queries",
        "queries_worse",
        "queries_better",
        "worse",
        "better",
    }
