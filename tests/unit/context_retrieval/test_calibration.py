from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval.calibration import (
    CERTAINTY,
    LEAST_SLOPE,
    Calibration,
    fit_map,
    keep_risk,
    least_answers,
    upper_bound,
)
from rag_engine.errors import CalibrationError

confidences = st.floats(0, 1)
asked = st.lists(st.tuples(confidences, st.booleans()), max_size=60)


@given(asked, st.floats(0, 500), confidences, confidences)
def test_a_fitted_map_gives_probabilities_and_keeps_every_order(
    questions: list[tuple[float, bool]], prior: float, one: float, other: float
) -> None:
    offset, slope = fit_map([raw for raw, _ in questions], [there for _, there in questions], prior_questions=prior)
    fitted = Calibration(offset, slope, threshold=0.5)
    low, high = sorted((one, other))
    assert 0 <= fitted.probability(low) <= fitted.probability(high) <= 1


def simulated(count: int, *, offset: float, slope: float, seed: int) -> tuple[list[float], list[bool]]:
    """Raw confidences whose true probability is the map's."""
    drawn = random.Random(seed)
    truth = Calibration(offset, slope, threshold=0.0)
    raw = [drawn.random() for _ in range(count)]
    return raw, [drawn.random() < truth.probability(value) for value in raw]


def test_the_map_that_made_the_outcomes_is_found() -> None:
    raw, outcomes = simulated(40_000, offset=0.0, slope=2.0, seed=1)
    offset, slope = fit_map(raw, outcomes, prior_questions=0)
    assert offset == pytest.approx(0.0, abs=0.06)
    assert slope == pytest.approx(2.0, abs=0.08)


def test_how_many_of_the_questions_are_answerable_does_not_move_the_map() -> None:
    raw, outcomes = simulated(40_000, offset=0.0, slope=1.5, seed=2)
    seen = iter(range(len(raw)))
    kept = [not there or next(seen) % 4 == 0 for there in outcomes]  # three of four answerable ones go
    offset, slope = fit_map(
        [value for value, stays in zip(raw, kept, strict=True) if stays],
        [there for there, stays in zip(outcomes, kept, strict=True) if stays],
        prior_questions=0,
    )
    assert offset == pytest.approx(0.0, abs=0.1)
    assert slope == pytest.approx(1.5, abs=0.1)


def test_few_questions_change_little_and_none_change_nothing() -> None:
    raw, outcomes = simulated(20, offset=-2.0, slope=3.0, seed=3)
    offset, slope = fit_map(raw, outcomes, prior_questions=400)
    assert abs(offset) < 0.3
    assert abs(slope - 1) < 0.3
    assert fit_map([], [], prior_questions=400) == fit_map([0.2, 0.9], [True, True], prior_questions=0) == (0.0, 1.0)


def test_confidences_that_order_questions_wrongly_still_give_a_map_that_keeps_the_order() -> None:
    _, slope = fit_map([0.1] * 50 + [0.9] * 50, [True] * 50 + [False] * 50, prior_questions=0)
    assert slope == LEAST_SLOPE


def test_a_map_that_would_turn_the_order_round_cannot_be_made() -> None:
    for offset, slope in ((0.0, 0.0), (0.0, -1.0), (math.nan, 1.0), (0.0, math.inf)):
        with pytest.raises(CalibrationError):
            Calibration(offset, slope, threshold=0.5)
    with pytest.raises(CalibrationError):
        Calibration(0.0, 1.0, threshold=1.5)


@pytest.mark.parametrize("risk", [0.1, 0.2])
def test_a_kept_risk_is_kept_on_other_questions_as_often_as_is_claimed(risk: float) -> None:
    held = tried = 0
    for seed in range(120):
        raw, right = simulated(400, offset=0.5, slope=1.4, seed=seed)
        try:
            kept = keep_risk(raw, right, risk=risk)
        except CalibrationError:
            continue
        others, outcomes = simulated(4_000, offset=0.5, slope=1.4, seed=10_000 + seed)
        answered = [there for value, there in zip(others, outcomes, strict=True) if value >= kept.raw]
        tried += 1
        held += sum(not there for there in answered) <= risk * len(answered)
    assert tried > 60
    # Two deviations of a share of tried below what is claimed.
    assert held / tried >= CERTAINTY - 2 * math.sqrt(CERTAINTY * (1 - CERTAINTY) / tried)


def test_more_risk_answers_more() -> None:
    raw, right = simulated(2_000, offset=0.5, slope=1.4, seed=5)
    answered = [keep_risk(raw, right, risk=risk).answered for risk in (0.1, 0.15, 0.25)]
    assert answered == sorted(answered)
    assert answered[0] < answered[-1]


def test_where_every_answer_is_right_everything_is_answered() -> None:
    kept = keep_risk([position / 100 for position in range(100)], [True] * 100, risk=0.1)
    assert (kept.raw, kept.answered, kept.wrong) == (0.0, 100, 0)
    assert kept.bound < 0.1


def test_questions_of_one_confidence_are_answered_together() -> None:
    kept = keep_risk([0.9] * 80 + [0.1] * 80, [True] * 80 + [False] * 80, risk=0.1)
    assert (kept.raw, kept.answered, kept.wrong) == (0.9, 80, 0)


def test_a_risk_that_cannot_be_proven_or_kept_is_refused_with_what_would_do() -> None:
    with pytest.raises(CalibrationError, match="66 are needed") as few:
        keep_risk([0.5] * 10, [True] * 10, risk=0.1)
    assert "--questions" in few.value.hint
    with pytest.raises(CalibrationError, match="no threshold keeps"):
        keep_risk([position / 500 for position in range(500)], [False] * 500, risk=0.1)
    for risk in (0.0, 1.0, -1.0, math.nan):
        with pytest.raises(CalibrationError):
            least_answers(risk)


@given(st.integers(0, 60), st.integers(1, 60))
def test_the_bound_is_the_share_at_which_so_few_wrong_answers_become_unlikely(wrong: int, answered: int) -> None:
    wrong = min(wrong, answered)
    bound = upper_bound(wrong, answered)
    assert wrong / answered <= bound <= 1
    if wrong < answered:
        seen = sum(
            math.comb(answered, count) * bound**count * (1 - bound) ** (answered - count) for count in range(wrong + 1)
        )
        assert seen == pytest.approx(1 - CERTAINTY, abs=1e-6)
