"""What every ModelSelector keeps to. ``MAKERS`` holds all of them, each made from the outcomes that it is to know."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from rag_engine.llm.model_selector import LearnedSelector
from rag_engine.protocols import ModelSelector
from rag_engine.types.models import ModelTask
from rag_engine.types.routing import ModelOutcome
from tests.unit.llm.model_selector.made_outcomes import HeldOutcomes, TopicVectors, asked, made

Maker = Callable[[Sequence[ModelOutcome]], ModelSelector]


def learned(outcomes: Sequence[ModelOutcome]) -> ModelSelector:
    selector = LearnedSelector(outcomes=HeldOutcomes(outcomes), embedder=TopicVectors())
    selector.refit()
    return selector


MAKERS: list[Maker] = [learned]
QUALITY = {"even": (0.9, 0.2), "odd": (0.2, 0.9)}


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__)
def make(request: pytest.FixtureRequest) -> Maker:
    return request.param


@pytest.mark.parametrize("questions", [1, 20, 200])
def test_estimates_are_of_the_models_asked_for_that_are_known_and_lie_in_their_intervals(
    make: Maker, questions: int
) -> None:
    estimates = make(made(questions, QUALITY)).estimates(
        asked(7), task=ModelTask.CODE, models=["odd", "unheard of", "even"]
    )
    assert list(estimates) == ["odd", "even"]
    for estimate in estimates.values():
        assert 0 <= estimate.low <= estimate.mean <= estimate.high <= 1
        assert 0 < estimate.observations <= questions


def test_without_outcomes_nothing_is_known(make: Maker) -> None:
    assert not make([]).estimates(asked(7), task=ModelTask.CODE, models=["odd"])


@pytest.mark.parametrize("question", ["0", "0 " + "x" * 100_000, "0 \x00\ud7ff\U0010ffff\n\n"])
def test_any_question_has_estimates(make: Maker, question: str) -> None:
    selector = make(made(200, QUALITY))
    assert len(selector.estimates(question, task=ModelTask.EXTRACTION, models=list(QUALITY))) == 2
