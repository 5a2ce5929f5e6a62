from __future__ import annotations

import numpy as np
import pytest

from rag_engine.llm.model_selector.held_out_gain import held_out_gain, named_within_price
from rag_engine.llm.model_selector.outcome_table import OutcomeTable, outcome_table
from rag_engine.types.routing import ModelOutcome
from tests.unit.llm.model_selector.made_outcomes import TASK, asked


def table(scores: np.ndarray, seen: np.ndarray | None = None, costs: tuple[float, ...] | None = None) -> OutcomeTable:
    first = [  # gives the models and questions their numbers; of no account in the sums
        (number, model)
        for number in range(scores.shape[0])
        for model in range(scores.shape[1])
        if seen is None or seen[number, model]
    ]
    return outcome_table(
        [
            ModelOutcome(
                asked(number), TASK, f"{model}", float(scores[number, model]), None if costs is None else costs[model]
            )
            for number, model in first
        ]
    )


def test_where_everything_is_known_it_is_the_plain_difference() -> None:
    scores = (np.random.default_rng(0).random((200, 3)) < 0.5).astype(float)
    estimates = np.random.default_rng(1).random((200, 3))
    gain = held_out_gain(table(scores), estimates, 0)
    assert gain is not None
    named = estimates.argmax(axis=1)
    assert gain.mean == pytest.approx(float((scores[np.arange(200), named] - scores[:, 0]).mean()))
    assert gain.low < gain.mean


def test_estimates_that_are_chosen_for_being_high_do_not_count_as_gain() -> None:
    generator = np.random.default_rng(2)
    gains = []
    for _ in range(40):
        scores = (generator.random((300, 4)) < 0.5).astype(float)
        seen = np.zeros((300, 4), dtype=bool)
        seen[np.arange(300), np.concatenate([np.arange(4), generator.integers(4, size=296)])] = True
        gain = held_out_gain(table(scores, seen), 0.5 + 0.2 * generator.standard_normal((300, 4)), 0)
        assert gain is not None
        gains.append(gain.mean)
    assert abs(float(np.mean(gains))) < 0.05  # the estimates alone promise .2 and more


def test_too_few_answers_tell_nothing() -> None:
    scores = np.ones((30, 2))
    estimates = np.tile([0.5, 0.4], (30, 1))
    estimates[:5, 1] = 0.9
    assert held_out_gain(table(scores), estimates, 0) is None


def test_what_is_named_costs_no_more_on_average_than_the_best_fixed_model() -> None:
    generator = np.random.default_rng(4)
    estimates, costs = generator.random((500, 4)), np.array([0.4, 1.0, 0.1, np.nan])
    named = named_within_price(estimates, costs, 0)
    assert costs[named].mean() <= 0.4 + 1e-9
    assert len(np.unique(named)) == 3  # dear ones where they are worth it, never the one of unknown price
    free = named_within_price(estimates, np.full(4, np.nan), 0)
    assert (free == estimates.argmax(axis=1)).all()
