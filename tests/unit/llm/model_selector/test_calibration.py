from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.model_selector.calibration import Calibration, fit_calibration
from rag_engine.llm.model_selector.pooling import interval


def test_estimates_that_differ_too_little_are_stretched_to_what_held_out_answers_say() -> None:
    generator = np.random.default_rng(0)
    truth = generator.uniform(0.1, 0.9, 20_000)
    raw = 0.5 + (truth - 0.5) / 3
    fitted = fit_calibration(raw, np.full_like(raw, 0.5), (generator.random(20_000) < truth).astype(float))
    assert np.abs(fitted(raw, np.full_like(raw, 0.5)) - truth).mean() < 0.02


def test_a_model_of_which_nothing_is_learnt_stays_with_its_mean() -> None:
    means = np.array([0.2, 0.5, 0.9])
    assert Calibration(0.0, 2.5)(means, means) == pytest.approx(means)


def test_a_few_answers_change_little() -> None:
    fitted = fit_calibration(np.array([0.6, 0.7]), np.array([0.5, 0.5]), np.array([0.0, 1.0]))
    assert abs(fitted.offset) < 0.2
    assert fitted.slope == pytest.approx(1, abs=0.2)


@given(
    estimates=st.lists(st.floats(0, 1), min_size=1, max_size=30),
    quality=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_whatever_was_seen_estimates_stay_numbers_that_rise(estimates: list[float], quality: float) -> None:
    raw = np.sort(np.array(estimates))
    means = np.full_like(raw, 0.5)
    told = fit_calibration(raw, means, np.full_like(raw, quality))(raw, means)
    assert ((told >= 0) & (told <= 1)).all()
    assert (np.diff(told) >= 0).all()


@given(quality=st.floats(0, 1), worth=st.floats(0.5, 1e6))
def test_intervals_hold_their_estimate_and_narrow_as_more_speaks_for_it(quality: float, worth: float) -> None:
    low, high = (float(bound[0]) for bound in interval(np.array([quality]), np.array([worth])))
    assert 0 <= low <= quality <= high <= 1
    narrow = [float(bound[0]) for bound in interval(np.array([quality]), np.array([4 * worth]))]
    assert narrow[1] - narrow[0] <= high - low + 1e-12
