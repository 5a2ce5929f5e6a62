"""Choosing by what is known and learnt of the models: the kind of work, the length, the quality to be expected."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from rag_engine.errors import ConfigurationError, EmbeddingError
from rag_engine.llm.router.strategies import Learned
from rag_engine.types.generation import Prompt, Requirements
from rag_engine.types.models import ModelTask
from tests.unit.llm.router.made import PROMPT, Drawn, Known, deployment, first, order, route

CODE = replace(PROMPT, question="Refactor this python function")


def test_the_fittest_for_the_kind_of_work_is_asked() -> None:
    coder = deployment("coder", fitness={ModelTask.CODE: 0.9, ModelTask.QUESTION_ANSWERING: 0.4})
    reader = deployment("reader", fitness={ModelTask.CODE: 0.3, ModelTask.QUESTION_ANSWERING: 0.8})
    unknown = deployment("unknown")
    asked = route(unknown, coder, reader, strategy="task")
    assert order(asked, CODE) == ["coder", "unknown", "reader"]
    assert order(asked) == ["reader", "unknown", "coder"]
    assert order(asked, replace(PROMPT, requires=Requirements(task=ModelTask.CODE))) == ["coder", "unknown", "reader"]
    assert asked.decide(CODE).task is ModelTask.CODE


def test_long_prompts_prefer_large_windows() -> None:
    small = deployment("small", window=16_000, fitness=0.9)
    large = deployment("large", window=200_000, fitness=0.7)
    asked = route(small, large, strategy="task")
    assert first(asked) == "small"
    assert order(asked, Prompt.plain("word " * 6_000)) == ["large", "small"]


def test_the_best_expected_is_asked_and_price_counts_against_it() -> None:
    members = [deployment("dear", price=100.0), deployment("cheap", price=1.0)]
    learnt = Known({"scripted/dear": 0.80, "scripted/cheap": 0.78})
    cheapest = route(*members, strategy=Learned(explore_share=0.0), selector=learnt)
    assert order(cheapest) == ["cheap", "dear"], "two cents of quality for five of money"
    best = route(*members, strategy=Learned(explore_share=0.0, price_weight=0.0), selector=learnt)
    assert order(best) == ["dear", "cheap"]


def test_who_says_no_price_has_no_advantage_of_it() -> None:
    members = [deployment("silent", price=None), deployment("dear", price=50.0), deployment("cheap", price=1.0)]
    learnt = Known(dict.fromkeys(("scripted/silent", "scripted/dear", "scripted/cheap"), 0.5))
    assert order(route(*members, strategy=Learned(explore_share=0.0), selector=learnt)) == ["cheap", "silent", "dear"]


def test_the_selector_is_asked_for_the_question_its_task_and_the_models_that_are_fit() -> None:
    learnt = Known({})
    asked = route(deployment("a"), deployment("b", tags=["eu"]), strategy="learned", selector=learnt)
    asked.plan(replace(CODE, requires=Requirements(tags=frozenset({"eu"}))))
    assert learnt.asked == [("Refactor this python function", ModelTask.CODE, ("scripted/b",))]


@pytest.mark.parametrize("strategy", ["priority", "task", "cost", "latency", "weighted", "least_busy"])
def test_other_strategies_do_not_wait_for_the_selector(strategy: str) -> None:
    learnt = Known({})
    asked = route(deployment("a", fitness=0.7), strategy=strategy, selector=learnt)
    assert order(asked) == ["a"]
    assert not learnt.asked
    order(asked, replace(PROMPT, requires=Requirements(quality_floor=0.5)))
    assert len(learnt.asked) == 1, "but for a floor"


def test_without_anything_learnt_the_profiles_count() -> None:
    members = [deployment("poor", fitness=0.3), deployment("good", fitness=0.9), deployment("unknown")]
    assert order(route(*members, strategy=Learned(explore_share=0.0))) == ["good", "unknown", "poor"]


def test_a_selector_that_fails_costs_no_answer_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    members = [deployment("poor", fitness=0.3), deployment("good", fitness=0.9)]
    asked = route(
        *members, strategy=Learned(explore_share=0.0), selector=Known({}, error=EmbeddingError("no model here"))
    )
    assert order(asked) == order(asked) == ["good", "poor"]
    assert [record.message for record in caplog.records] == [
        "route/test: what was learnt of its models cannot be told (no model here); it goes by their profiles"
    ]


def test_a_stated_share_of_prompts_explores_and_all_models_alike() -> None:
    members = [deployment(f"{at}", fitness=0.5) for at in range(3)] + [deployment("best", fitness=0.9)]
    asked = route(*members, strategy=Learned(explore_share=0.2), generator=random.Random(9))
    counts = Counter(first(asked) for _ in range(10_000))
    assert abs(counts["best"] - 8_500) < 150, "four fifths, and its fourth of the fifth"
    assert all(abs(counts[f"{at}"] - 500) < 100 for at in range(3))


def test_the_explored_one_is_followed_by_the_others_as_they_are_expected() -> None:
    members = [deployment("poor", fitness=0.1), deployment("good", fitness=0.8), deployment("best", fitness=0.9)]
    asked = route(*members, strategy=Learned(explore_share=0.5), generator=Drawn([0.4, 0.0]))
    assert order(asked) == ["poor", "best", "good"]


@pytest.mark.parametrize("about", [{"explore_share": 1.5}, {"explore_share": float("nan")}, {"price_weight": -1.0}])
def test_shares_and_weights_that_are_none_are_refused(about: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        Learned(**about)


def test_a_decision_tells_the_expected_quality_and_where_it_is_from() -> None:
    members = [deployment("learnt", fitness=0.1), deployment("said", fitness=0.6), deployment("unknown")]
    decision = route(*members, strategy="learned", selector=Known({"scripted/learnt": 0.8})).decide(PROMPT)
    qualities = {one.deployment: one.quality for one in decision.candidates}
    assert qualities["learnt"] is not None
    assert (qualities["learnt"].mean, qualities["learnt"].observations) == (0.8, 12)
    assert qualities["said"] is not None
    assert (qualities["said"].mean, qualities["said"].observations) == (0.6, 0)
    assert qualities["unknown"] is None
