"""The paired tests: their formulas on small samples, and how they behave on larger ones."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import GoldSetError
from rag_engine.evaluation import compare
from rag_engine.evaluation.significance import bootstrap_interval, randomisation_p_value

VALUES = st.lists(st.sampled_from([-1.0, -0.3, 0.0, 0.1, 0.2, 0.5]), min_size=1, max_size=7)


def by_query(values) -> dict[str, float]:
    return {f"q{number}": float(value) for number, value in enumerate(values)}


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


def test_equal_runs_do_not_differ():
    found = compare(by_query([0.1, 0.5]), by_query([0.1, 0.5]), measure="AP")
    assert (found.mean_difference, found.p_value, found.interval, found.worse, found.better) == (
        0.0,
        1.0,
        (0.0, 0.0),
        0,
        0,
    )
    assert not found.significantly_worse


def test_a_run_that_is_worse_on_most_of_many_queries_is_significantly_worse():
    generator = np.random.default_rng(5)
    baseline = generator.uniform(0.3, 0.9, size=300)
    candidate = baseline - generator.normal(0.03, 0.1, size=300)
    found = compare(by_query(baseline), by_query(candidate), measure="nDCG@10")
    assert found.significantly_worse
    assert found.interval[0] < found.mean_difference < found.interval[1] < 0
    assert (found.measure, found.queries, found.worse + found.better) == ("nDCG@10", 300, 300)
    assert found.worse > found.better


def test_turning_the_comparison_round_turns_the_difference_and_keeps_the_p_value():
    generator = np.random.default_rng(7)
    one, other = by_query(generator.uniform(size=40)), by_query(generator.uniform(size=40))
    there, back = compare(one, other, measure="AP"), compare(other, one, measure="AP")
    assert there.mean_difference == pytest.approx(-back.mean_difference)
    assert there.p_value == back.p_value
    assert (there.worse, there.better) == (back.better, back.worse)


def test_noise_without_a_difference_is_seldom_significant():
    generator = np.random.default_rng(11)
    significant = sum(randomisation_p_value(generator.normal(size=12)) < 0.05 for _ in range(200))
    assert significant <= 20  # 10 expected; 21 or more come up once in a thousand


def test_the_same_input_gives_the_same_figures_whatever_the_order_of_the_queries():
    one = by_query(np.random.default_rng(13).uniform(size=60))
    other = by_query(np.random.default_rng(17).uniform(size=60))
    turned = dict(reversed(other.items()))
    assert compare(one, other, measure="AP") == compare(one, turned, measure="AP")


def test_the_bootstrap_interval_is_that_of_the_normal_approximation_on_a_large_sample():
    values = np.random.default_rng(19).normal(0.0, 1.0, size=2_000)
    low, high = bootstrap_interval(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_runs_over_other_queries_are_refused_and_the_queries_named():
    with pytest.raises(GoldSetError, match="only one has q2"):
        compare(by_query([0.1, 0.2]), by_query([0.1, 0.2, 0.3]), measure="AP")
    with pytest.raises(GoldSetError, match="no query"):
        compare({}, {}, measure="AP")
