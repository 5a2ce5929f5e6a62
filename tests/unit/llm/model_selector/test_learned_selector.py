from __future__ import annotations

import logging
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine.errors import EmbeddingError, UsageError
from rag_engine.llm.model_selector import LearnedSelector
from rag_engine.types.models import ModelTask
from rag_engine.types.routing import ModelOutcome, QualityEstimate
from tests.unit.llm.model_selector.made_outcomes import TASK, HeldOutcomes, TopicVectors, asked, made

SPLIT = {"even": (0.9, 0.2), "odd": (0.2, 0.85), "middling": (0.6, 0.6)}


def selector(outcomes: list[ModelOutcome], **options: float) -> LearnedSelector:
    made_of = LearnedSelector(outcomes=HeldOutcomes(outcomes), embedder=TopicVectors(), **options)  # type: ignore[arg-type]
    made_of.refit()
    return made_of


def expected(learnt: LearnedSelector, number: int, models: list[str]) -> dict[str, QualityEstimate]:
    return dict(learnt.estimates(asked(number), task=TASK, models=models))


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_models_that_are_each_good_at_one_kind_of_question_are_told_apart() -> None:
    learnt = selector(made(400, SPLIT))
    assert not learnt.standing.stays_with_best_fixed
    assert learnt.standing.best_fixed == "middling"
    for number in range(1000, 1040):  # none of them seen
        estimates = expected(learnt, number, list(SPLIT))
        assert max(estimates, key=lambda model: estimates[model].mean) == ("odd" if number % 2 else "even")


def test_estimates_and_their_intervals_say_how_good_a_model_really_is() -> None:
    within, off = [], []
    for seed in range(4):
        learnt = selector(made(300, SPLIT, seed=seed))
        for number in range(5000, 5020):
            for model, estimate in expected(learnt, number, list(SPLIT)).items():
                truth = SPLIT[model][number % 2]
                assert 0 <= estimate.low <= estimate.mean <= estimate.high <= 1
                within.append(estimate.low <= truth <= estimate.high)
                off.append(abs(estimate.mean - truth))
    assert float(np.mean(within)) >= 0.85  # 0.9 is what is promised
    assert float(np.mean(off)) <= 0.08


def test_scores_that_belong_to_any_question_leave_the_models_averages() -> None:
    learnt = selector(made(400, SPLIT, shuffled=True))
    assert learnt.standing.stays_with_best_fixed
    assert expected(learnt, 1000, list(SPLIT)) == expected(learnt, 1001, list(SPLIT))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), answered=st.sampled_from([0.4, 1.0]))
def test_it_is_never_worse_than_the_best_model_where_there_is_nothing_to_learn(seed: int, answered: float) -> None:
    quality = {"best": (0.6, 0.6), "second": (0.55, 0.55), "third": (0.3, 0.3)}
    learnt = selector(made(200, quality, seed=seed, answered=answered))
    lost = []
    for number in range(1000, 1060):
        estimates = expected(learnt, number, list(quality))
        named = max(estimates, key=lambda model: estimates[model].mean)
        lost.append(quality["best"][0] - quality[named][0])
    assert float(np.mean(lost)) <= 0.051  # the second, where chance has it ahead in 200 answers


def test_a_few_answers_move_estimates_a_little_and_say_so() -> None:
    learnt = selector([ModelOutcome(asked(0), TASK, "once", 1.0), *made(30, {"often": (0.5, 0.5)})])
    estimates = expected(learnt, 7, ["once", "often"])
    assert learnt.standing.stays_with_best_fixed
    assert estimates["once"].observations == 1
    assert estimates["once"].mean < 0.75
    assert estimates["once"].high - estimates["once"].low > estimates["often"].high - estimates["often"].low


def test_models_that_nothing_is_known_of_are_left_out() -> None:
    learnt = selector(made(300, SPLIT))
    assert set(expected(learnt, 1, ["odd", "unheard of"])) == {"odd"}
    assert expected(learnt, 1, []) == {}


def test_no_outcomes_at_all_give_no_estimates() -> None:
    learnt = selector([])
    assert expected(learnt, 1, ["odd"]) == {}
    assert learnt.standing.best_fixed is None


@pytest.mark.parametrize("answered", [0.5, 0.34])
def test_answers_may_be_missing(answered: float) -> None:
    learnt = selector(made(900, SPLIT, answered=answered))
    assert not learnt.standing.stays_with_best_fixed
    right = 0
    for number in range(2000, 2040):
        estimates = expected(learnt, number, list(SPLIT))
        right += max(estimates, key=lambda model: estimates[model].mean) == ("odd" if number % 2 else "even")
    assert right >= 36


def test_one_answer_a_question_is_enough_where_models_take_turns() -> None:
    names = list(SPLIT)
    outcomes = [
        outcome
        for outcome in made(1500, SPLIT)
        if outcome.model == names[np.random.default_rng(int(outcome.question.split()[0])).integers(3)]
    ]
    assert len(outcomes) == 1500
    learnt = selector(outcomes)
    assert not learnt.standing.stays_with_best_fixed
    assert learnt.standing.gain == pytest.approx(0.275, abs=0.1)  # (.9 + .85) / 2 against .6


def test_a_gain_that_only_dearer_models_bring_is_none() -> None:
    cheap_best = {"cheap": (0.7, 0.7), "dear": (0.3, 0.95)}
    free = selector(made(500, cheap_best))
    priced = selector(made(500, cheap_best, costs={"cheap": 0.001, "dear": 0.1}))
    assert not free.standing.stays_with_best_fixed
    assert priced.standing.stays_with_best_fixed
    assert priced.standing.best_fixed == "cheap"


def test_a_thousand_models_are_learnt_of() -> None:
    outcomes = [
        ModelOutcome(asked(number), TASK, f"model-{(7 * number + turn) % 1000}", float((number + turn) % 2))
        for number in range(600)
        for turn in range(10)
    ]
    learnt = selector(outcomes)
    estimates = expected(learnt, 1, [f"model-{number}" for number in range(1000)])
    assert len(estimates) == 1000
    assert all(0 <= estimate.low <= estimate.mean <= estimate.high <= 1 for estimate in estimates.values())


@pytest.mark.parametrize("quality", [float("nan"), float("inf"), -0.1, 1.01])
def test_a_quality_that_is_none_is_refused(quality: float) -> None:
    with pytest.raises(UsageError, match="quality"):
        selector([*made(5, SPLIT), ModelOutcome(asked(9), TASK, "odd", quality)])


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -1.0])
def test_a_cost_that_is_none_is_refused(cost: float) -> None:
    with pytest.raises(UsageError, match="cost"):
        selector([ModelOutcome(asked(9), TASK, "odd", 0.5, cost=cost)])


def test_the_task_of_a_question_counts() -> None:
    generator = np.random.default_rng(0)
    tasks = (ModelTask.CODE, ModelTask.SUMMARIZATION)
    outcomes = [
        ModelOutcome(asked(2 * number), tasks[number % 2], model, float(generator.random() < right[number % 2]))
        for number in range(400)
        for model, right in SPLIT.items()
    ]
    learnt = selector(outcomes)
    for kind, task in enumerate(tasks):
        estimates = learnt.estimates(asked(5000), task=task, models=list(SPLIT))
        assert max(estimates, key=lambda model: estimates[model].mean) == ("odd" if kind else "even")


def test_the_same_outcomes_give_the_same_estimates() -> None:
    outcomes = made(200, SPLIT)
    assert expected(selector(outcomes), 1001, list(SPLIT)) == expected(selector(outcomes), 1001, list(SPLIT))


def test_the_first_question_waits_for_nothing_and_later_ones_have_estimates() -> None:
    learnt = LearnedSelector(outcomes=HeldOutcomes(made(300, SPLIT)), embedder=TopicVectors())
    assert learnt.estimates(asked(1), task=TASK, models=["odd"]) == {}
    until(lambda: bool(learnt.estimates(asked(1), task=TASK, models=["odd"])))
    assert not learnt.standing.stays_with_best_fixed


def test_new_outcomes_are_learnt_when_the_time_has_come_and_old_questions_are_not_embedded_again() -> None:
    ledger, vectors = HeldOutcomes(made(300, SPLIT)), TopicVectors()
    learnt = LearnedSelector(outcomes=ledger, embedder=vectors, refit_seconds=0.0)
    learnt.refit()
    ledger.record_outcomes([ModelOutcome(asked(900), TASK, "new", 1.0)])
    until(lambda: "new" in learnt.estimates(asked(1), task=TASK, models=["new"]))
    learnt.refit()
    assert vectors.embedded.count(asked(0)) == 1
    assert vectors.embedded.count(asked(900)) == 1


def test_outcomes_that_have_not_changed_are_not_learnt_again() -> None:
    ledger, vectors = HeldOutcomes(made(300, SPLIT)), TopicVectors()
    learnt = LearnedSelector(outcomes=ledger, embedder=vectors)
    before = learnt.refit()
    assert learnt.refit() is before
    assert ledger.read == 2


def test_what_was_learnt_stays_where_new_outcomes_are_none(caplog: pytest.LogCaptureFixture) -> None:
    ledger = HeldOutcomes(made(300, SPLIT))
    learnt = LearnedSelector(outcomes=ledger, embedder=TopicVectors(), refit_seconds=0.0)
    learnt.refit()
    ledger.record_outcomes([ModelOutcome(asked(1), TASK, "odd", float("nan"))])
    with caplog.at_level(logging.WARNING):
        assert expected(learnt, 1, ["odd"])
        until(lambda: "nothing new is learnt" in caplog.text)
    assert expected(learnt, 1, ["odd"])["odd"].mean > 0.5


def test_a_question_without_a_vector_is_the_embedders_error() -> None:
    class Broken(TopicVectors):
        def embed_queries(self, texts: object) -> object:  # type: ignore[override]
            raise EmbeddingError("no vector")

    learnt = LearnedSelector(outcomes=HeldOutcomes(made(60, SPLIT)), embedder=Broken())
    with pytest.raises(EmbeddingError):
        learnt.refit()
