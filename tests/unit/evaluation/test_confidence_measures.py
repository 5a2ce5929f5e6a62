"""Calibration and the area under risk and coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.evaluation.confidence_measures import area_under_risk_coverage, expected_calibration_error, reactions

PAIRS = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1)


def test_a_confidence_that_comes_true_as_often_as_it_says_is_calibrated():
    judged = [(0.25, float(number % 4 == 0)) for number in range(40)] + [
        (0.75, float(number % 4 > 0)) for number in range(40)
    ]
    assert expected_calibration_error(judged, bins=2) == pytest.approx(0.0)
    assert expected_calibration_error(
        [(1.0 - confidence, true) for confidence, true in judged], bins=2
    ) == pytest.approx(0.5)


def test_the_error_is_that_of_equal_bins_computed_with_arrays():
    generator = np.random.default_rng(3)
    confidence = generator.uniform(size=100)
    true = (generator.uniform(size=100) < confidence**2).astype(float)
    order = np.argsort(confidence)
    bins = [order[100 * number // 15 : 100 * (number + 1) // 15] for number in range(15)]
    by_hand = sum(len(part) / 100 * abs(confidence[part].mean() - true[part].mean()) for part in bins)
    assert expected_calibration_error(zip(confidence.tolist(), true.tolist(), strict=True)) == pytest.approx(by_hand)


@given(PAIRS, st.randoms())
def test_the_error_does_not_depend_on_the_order_of_equal_confidences(judged, random):
    found = expected_calibration_error(judged)
    assert expected_calibration_error(random.sample(judged, len(judged))) == pytest.approx(found)
    assert 0.0 <= found <= 1.0
    # No cut into bins is further off than all in one bin would be.
    assert found >= expected_calibration_error(judged, bins=1) - 1e-12


def test_nothing_judged_has_no_error():
    assert expected_calibration_error([]) is None


def test_an_abstention_comes_after_every_answer_however_sure_it_is():
    answer = {"abstained": 0.0, "confidence": 0.1, "right": 1.0}
    refusal = {"abstained": 1.0, "confidence": 0.9, "right": 0.0}
    assert area_under_risk_coverage(reactions([refusal, answer])) == (0 + 1 / 2) / 2
    assert area_under_risk_coverage(reactions([{"abstained": 0.0, "confidence": 0.4}])) is None
