"""What is believed of strategies moves with what was seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.query_optimizer.gate import Gate, quality, question_features, result_features
from rag_engine.query_optimizer.learning import PRIORS, Learning
from rag_engine.types.optimization import Gains, StrategyName, TaskType, kind_of_question
from rag_engine.types.retrieval import Passage

FEATURES = {"words": 10.0}
KIND = kind_of_question(FEATURES)
SEEN = StrategyName.DECOMPOSITION


def learnt(count: int, mean: float) -> Learning:
    return Learning(lambda: [Gains(SEEN, TaskType.QUESTION, KIND, count, count * mean)])


def test_without_experience_the_prior_holds_and_every_strategy_is_expected_to_gain() -> None:
    for strategy in StrategyName:
        belief = Learning().belief(strategy, TaskType.QUESTION, FEATURES)
        assert (belief.gain, belief.experiences) == (pytest.approx(PRIORS[strategy][0]), 0)
        assert Gate(Learning()).opens(strategy, TaskType.QUESTION, FEATURES)


def test_harm_closes_the_gate_for_questions_of_its_kind_alone() -> None:
    gate = Gate(learnt(100, -0.1))
    assert not gate.opens(SEEN, TaskType.QUESTION, FEATURES)
    assert gate.opens(SEEN, TaskType.QUESTION, {"words": 2.0})
    assert gate.opens(SEEN, TaskType.ANALYSIS, FEATURES)
    assert gate.opens(StrategyName.CONSTRAINTS, TaskType.QUESTION, FEATURES)


def test_one_bad_outcome_does_not_close_the_gate() -> None:
    assert Gate(learnt(1, -0.5)).opens(SEEN, TaskType.QUESTION, FEATURES)


@given(st.integers(1, 9_999), st.floats(-1, 1))
def test_more_experience_of_a_mean_brings_the_belief_nearer_to_it(count: int, mean: float) -> None:
    few = learnt(count, mean).belief(SEEN, TaskType.QUESTION, FEATURES)
    many = learnt(count + 1, mean).belief(SEEN, TaskType.QUESTION, FEATURES)
    assert abs(many.gain - mean) <= abs(few.gain - mean) + 1e-9
    assert 0 <= few.harmless <= 1


def test_experiences_are_read_once() -> None:
    asked = []

    def gains() -> list[Gains]:
        asked.append(1)
        return []

    learning = Learning(gains)
    for _ in range(3):
        learning.belief(SEEN, TaskType.QUESTION, FEATURES)
    assert asked == [1]


def test_a_questions_form_says_its_kind() -> None:
    assert kind_of_question(question_features("refund deadline")) == "few"
    assert kind_of_question(question_features("when was the man who wrote the play born")) == "some-relative"
    assert kind_of_question(question_features("word " * 30)) == "many"


def hits(*scores: float, both: bool = True) -> list[Passage]:
    raw = {"dense": 0.5, "lexical": 9.0} if both else {"dense": 0.5}
    return [Passage(n, score, str(n), "", n, 0, 1, "x", scores=raw) for n, score in enumerate(scores, start=1)]


def test_a_result_that_both_legs_put_first_and_far_ahead_is_held_for_good() -> None:
    sure, unsure = quality(result_features(hits(1.0, 0.3))), quality(result_features(hits(0.5, 0.49)))
    assert sure > 0.8 > 0.3 > unsure
    assert quality(result_features([])) == 0.0


@given(st.lists(st.floats(0, 1), max_size=30))
def test_quality_is_a_probability_whatever_the_scores(scores: list[float]) -> None:
    assert 0 <= quality(result_features(hits(*sorted(scores, reverse=True)))) <= 1
