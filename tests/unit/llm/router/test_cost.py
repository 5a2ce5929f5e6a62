"""What answers cost decides: the cheapest that is good enough, and nobody beyond a budget."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag_engine.errors import ConfigurationError
from rag_engine.types.conversation import Sampling
from rag_engine.types.generation import Prompt, Requirements
from rag_engine.types.routing import Check
from tests.unit.llm.router.made import PROMPT, Known, Spent, deployment, order, route

FLOOR = replace(PROMPT, requires=Requirements(quality_floor=0.6))


def test_the_cheapest_is_asked_first_and_the_dearest_last() -> None:
    members = [deployment("dear", price=9.0), deployment("cheap", price=0.2), deployment("middle", price=3.0)]
    assert order(route(*members, strategy="cost")) == ["cheap", "middle", "dear"]


def test_who_is_cheapest_depends_on_what_is_read_and_written() -> None:
    members = [deployment("cheap to read", price=(1.0, 50.0)), deployment("cheap to write", price=(10.0, 5.0))]
    asked = route(*members, strategy="cost")
    assert order(asked, Prompt.plain("word " * 10_000))[0] == "cheap to read"
    assert order(asked)[0] == "cheap to write"
    assert order(asked, replace(PROMPT, tokens=1_000, sampling=Sampling(max_output_tokens=1)))[0] == "cheap to read"


def test_the_cheapest_that_is_good_enough_is_asked() -> None:
    members = [
        deployment("cheap and poor", price=0.1, fitness=0.4),
        deployment("good", price=2.0, fitness=0.7),
        deployment("dear and best", price=9.0, fitness=0.9),
    ]
    assert order(route(*members, strategy="cost"), FLOOR) == ["good", "dear and best"]


def test_what_was_learnt_says_who_is_good_enough() -> None:
    members = [deployment("cheap", price=0.1, fitness=0.9), deployment("dear", price=9.0, fitness=0.1)]
    learnt = Known({"scripted/cheap": 0.3, "scripted/dear": 0.8})
    assert order(route(*members, strategy="cost", selector=learnt), FLOOR) == ["dear"]


def test_without_a_price_nobody_is_the_cheapest() -> None:
    asked = route(deployment("unpriced", price=None), deployment("priced"), strategy="cost")
    assert order(asked) == ["priced"]
    (candidate,) = asked.plan(PROMPT).left()
    assert (candidate.failed, candidate.cost) == (Check.PRICE, None)
    assert "llm.models_file" in candidate.reason
    assert order(route(deployment("unpriced", price=None))) == ["unpriced"], "other strategies need none"


def test_a_local_model_without_a_price_is_free() -> None:
    asked = route(deployment("remote", price=0.01), deployment("near", price=None, local=True), strategy="cost")
    assert order(asked) == ["near", "remote"]


def test_a_decision_tells_what_each_would_cost() -> None:
    prompt = replace(PROMPT, tokens=1_000, sampling=Sampling(max_output_tokens=100))
    (candidate,) = route(deployment("one", price=(2.0, 10.0))).decide(prompt).candidates
    assert candidate.cost == pytest.approx((1_000 * 2 + 100 * 10) / 1e6)


@pytest.mark.parametrize("key", ["model:scripted/spent", "provider:scripted", "route", "deployment"])
def test_who_is_beyond_a_budget_is_not_asked(key: str) -> None:
    own = {"budget_per_day": 1.0} if key == "deployment" else {}
    spent = deployment("spent", **own)
    other = deployment("other", provider="elsewhere")
    ledger = Spent({"scripted/spent": 0.5})
    budgets = {} if own else {key: 1.0}
    asked = route(spent, other, ledger=ledger, budgets=budgets)
    assert order(asked) == ["spent", "other"]
    ledger.amounts = {"scripted/spent": 0.99999}
    fit = order(asked)
    assert fit == ([] if key == "route" else ["other"])
    candidate = asked.plan(PROMPT).left()[0]
    assert candidate.failed is Check.BUDGET
    assert "$1.0000" in candidate.reason
    assert "$1.0000 of it" in candidate.reason


def test_a_call_that_would_go_beyond_the_budget_is_not_made() -> None:
    long = replace(PROMPT, tokens=100_000, content="", sampling=Sampling(max_output_tokens=10))
    asked = route(deployment("one", price=10.0, window=10**9), ledger=Spent({}), budgets={"route": 0.5})
    assert order(asked) == ["one"]
    assert order(asked, long) == []


def test_a_budget_of_nothing_lets_only_what_is_free_through() -> None:
    asked = route(
        deployment("remote"), deployment("near", price=None, local=True), ledger=Spent({}), budgets={"route": 0.0}
    )
    assert order(asked) == ["near"]


def test_where_the_ledger_cannot_tell_what_was_spent_nothing_is_spent_on_a_budget() -> None:
    asked = route(deployment("held to one", budget_per_day=1.0), deployment("free to spend"), ledger=Spent(None))
    assert order(asked) == ["free to spend"]
    (candidate,) = asked.plan(PROMPT).left()
    assert (candidate.failed, "cannot be told" in candidate.reason) == (Check.BUDGET, True)


def test_a_budget_needs_a_price() -> None:
    asked = route(deployment("unpriced", price=None), ledger=Spent({}), budgets={"route": 5.0})
    assert asked.plan(PROMPT).left()[0].failed is Check.PRICE


@pytest.mark.parametrize(
    ("budgets", "about"),
    [
        ({"models:one": 1.0}, "there is no budget for 'models:one'"),
        ({"route": float("nan")}, "a budget of nan for the route is none"),
        ({"provider:openai": -1.0}, "a budget of -1.0 for the provider openai is none"),
    ],
)
def test_budgets_that_are_none_are_refused(budgets: dict[str, float], about: str) -> None:
    with pytest.raises(ConfigurationError, match=about):
        route(deployment("one"), ledger=Spent({}), budgets=budgets)


def test_a_budget_without_a_ledger_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no ledger to tell what was spent"):
        route(deployment("one", budget_per_day=1.0))
