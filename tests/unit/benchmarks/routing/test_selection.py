from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.routing.selection import main
from benchmarks.routing.selection_measures import accuracy, curve, margins, random_mix
from benchmarks.routing.selection_record import folds


def test_without_recorded_outcomes_it_says_so_and_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--recorded", str(tmp_path)]) == 2
    assert "is not there" in capsys.readouterr().err


def test_every_question_is_tested_once_and_never_by_what_was_fitted_on_it() -> None:
    made = folds(np.arange(23), 5, seed=1)
    assert sorted(np.concatenate([test for _, test in made]).tolist()) == list(range(23))
    for fit, test in made:
        assert not set(fit.tolist()) & set(test.tolist())
        assert len(fit) + len(test) == 23


def test_the_random_mix_is_the_upper_hull_of_the_single_models() -> None:
    scores = np.tile([0.2, 0.3, 0.8, 0.7], (10, 1))
    costs = np.tile([0.001, 0.002, 0.003, 0.004], (10, 1))
    assert random_mix(scores, costs) == [(pytest.approx(1), pytest.approx(0.2)), (pytest.approx(3), pytest.approx(0.8))]


def test_a_choice_that_knows_the_scores_lies_above_the_mix_and_a_fixed_one_on_it() -> None:
    generator = np.random.default_rng(0)
    scores = (generator.random((400, 3)) < [0.3, 0.5, 0.6]).astype(float)
    costs = np.tile([0.001, 0.002, 0.003], (400, 1))
    mix = random_mix(scores, costs)
    above = margins(curve(scores, scores, costs), mix)
    assert above[0] == pytest.approx(0)  # the cheapest model alone
    assert min(above[1:]) > 0.2
    means = np.tile(scores.mean(axis=0), (400, 1))
    assert max(margins(curve(means, scores, costs), mix)) < 1e-9


def test_the_oracle_closes_the_whole_gap_and_the_best_fixed_model_none() -> None:
    scores = (np.random.default_rng(0).random((300, 3)) < [0.3, 0.5, 0.6]).astype(float)
    fixed = scores[:, 2]
    assert accuracy(scores, scores, fixed)["gap_closed"] == pytest.approx(1)
    found = accuracy(np.tile([0.0, 0.0, 1.0], (300, 1)), scores, fixed)
    assert found["gain_interval"] == [0.0, 0.0]
