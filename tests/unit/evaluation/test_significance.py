"""The paired tests: their formulas on small samples, and how they behave on larger ones."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.evaluation.significance import (
    LEVEL,
    bootstrap_interval,
    fewest_queries,
    holm,
    randomisation_p_value,
    randomisation_p_values,
    smallest_effect,
)
from rag_engine.evaluation.significance import _student_quantile as student_quantile

VALUES = st.lists(st.sampled_from([-1.0, -0.3, 0.0, 0.1, 0.2, 0.5]), min_size=1, max_size=7)


@given(VALUES)
def test_small_samples_have_the_exact_p_value(values):
    observed = abs(sum(values))
    sums = [
        abs(sum(s * v for s, v in zip(signs, values, strict=True))) for signs in product((1, -1), repeat=len(values))
    ]
    exact = sum(value >= observed - 1e-9 for value in sums) / len(sums)
    assert randomisation_p_value(np.array(values)) == pytest.approx(exact)


def test_resampling_comes_near_the_exact_p_value():
    values = np.random.default_rng(3).normal(0.3, 1.0, size=12)
    exact = randomisation_p_value(values)
    # Two opposite differences of next to nothing leave the p-value as it is, but take it beyond the exact case.
    resampled = randomisation_p_value(np.concatenate([values, [1e-12, -1e-12]]))
    assert resampled == pytest.approx(exact, abs=0.02)


def test_noise_without_a_difference_is_seldom_significant():
    generator = np.random.default_rng(11)
    significant = sum(randomisation_p_value(generator.normal(size=12)) < 0.05 for _ in range(200))
    assert significant <= 20  # 10 expected; 21 or more come up once in a thousand


def test_the_bootstrap_interval_is_that_of_the_normal_approximation_on_a_large_sample():
    values = np.random.default_rng(19).normal(0.0, 1.0, size=2_000)
    low, high = bootstrap_interval(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


@pytest.mark.parametrize("count", [8, 60])
def test_p_values_are_those_of_scipys_paired_permutation_test(count):
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(23).normal(0.25, 1.0, size=count)
    theirs = stats.permutation_test(
        (values, np.zeros(count)),
        lambda one, other, axis: np.mean(one - other, axis=axis),
        permutation_type="samples",
        n_resamples=20_000,
        rng=np.random.default_rng(29),
    )
    # Exact where there are few; else two estimates from 10,000 and 20,000 resamples, 4 standard errors apart at most.
    margin = 1e-12 if count <= 12 else 4 * np.sqrt(theirs.pvalue * (1 - theirs.pvalue) * (1e-4 + 5e-5))
    assert randomisation_p_value(values) == pytest.approx(theirs.pvalue, abs=margin)


def test_measures_tested_at_once_have_the_p_values_that_each_has_alone():
    generator = np.random.default_rng(31)
    differences = generator.normal(0.1, 1.0, size=(80, 4))
    differences[10:, 1] = 0.0  # few enough to be exact
    differences[:, 2] = 0.0
    together = randomisation_p_values(differences)
    assert together == pytest.approx([randomisation_p_value(column) for column in differences.T])
    assert together[2] == 1.0


def test_a_query_that_a_measure_does_not_score_changes_nothing_exactly_tested():
    values = np.array([0.5, -0.2, 0.3, 0.3, 0.9])
    assert randomisation_p_value(np.concatenate([values, np.zeros(40)])) == randomisation_p_value(values)


def slow_holm(p_values, level: float) -> set[int]:
    """Which hypotheses Holm's procedure rejects, as the paper words it."""
    left, rejected = dict(enumerate(p_values)), set()
    while left:
        index = min(left, key=left.get)
        if left[index] >= level / len(left):
            break
        rejected.add(index)
        del left[index]
    return rejected


@given(st.lists(st.floats(0.0001, 1.0), min_size=1, max_size=7), st.floats(0.001, 0.5))
def test_holms_adjusted_p_values_reject_what_his_procedure_rejects(p_values, level):
    adjusted = holm(p_values)
    # Where a comparison is within rounding, either verdict is right.
    if all(abs(value - level) > 1e-12 for value in adjusted):
        assert {index for index, value in enumerate(adjusted) if value < level} == slow_holm(p_values, level)
    assert all(own <= value <= 1.0 for own, value in zip(p_values, adjusted, strict=True))


@pytest.mark.parametrize(("freedom", "probability"), [(5, 0.975), (6, 0.8), (8, 0.9964), (29, 0.9917), (300, 0.8)])
def test_students_quantile_is_scipys(freedom, probability):
    stats = pytest.importorskip("scipy.stats")
    assert student_quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=0.001)


@pytest.mark.parametrize("measures", [1, 3, 7])
def test_the_fewest_queries_are_the_first_number_that_can_be_significant(measures):
    fewest = fewest_queries(measures)
    best = [randomisation_p_value(np.ones(count)) * measures for count in (fewest - 1, fewest)]
    assert best[0] >= LEVEL > best[1]


def test_no_effect_is_stated_where_nothing_could_be_shown():
    assert smallest_effect(np.array([0.3]), measures=3) is None
    assert smallest_effect(np.full(6, -0.5), measures=3) is None
    assert smallest_effect(np.zeros(300), measures=3) is None
    assert smallest_effect(np.array([1.0, -1.0] * 4), measures=3) is None  # 8 such queries would need a loss beyond 1


def test_more_queries_show_smaller_effects_and_more_measures_larger_ones():
    values = np.random.default_rng(37).normal(0.0, 0.2, size=400).clip(-1, 1)
    effects = [smallest_effect(values[:count], measures=3) for count in (50, 100, 200, 400)]
    assert effects == sorted(effects, reverse=True)
    by_measures = [smallest_effect(values, measures=measures) for measures in (1, 3, 7)]
    assert by_measures == sorted(by_measures)
    # The textbook formula, which leaves out that losses add to the spread, is smaller.
    assert by_measures[0] > (1.96 + 0.84) * values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("step", [0.3, 1.0])
def test_a_loss_of_the_smallest_effect_is_found_in_four_cases_of_five(step):
    generator = np.random.default_rng(41)
    found = []
    for _ in range(300):
        # A fifth of the queries differ by a step, up or down alike; then some lose a step more.
        noise = step * generator.choice([-1, 0, 1], p=[0.1, 0.8, 0.1], size=200)
        effect = smallest_effect(noise, measures=1)
        again = step * generator.choice([-1, 0, 1], p=[0.1, 0.8, 0.1], size=200)
        losing = generator.random(200) < effect / step
        found.append(again - step * losing)
    p_values = randomisation_p_values(np.array(found).T)
    share = np.mean((p_values < LEVEL) & (np.array(found).mean(axis=1) < 0))
    assert 0.75 < share < 0.92  # .8, within what 300 draws leave open; not by stating an effect that is far too large
