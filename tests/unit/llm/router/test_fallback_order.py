"""Whom a route asks when those before have failed: everybody who is fit, each once, as the decision says."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from rag_engine.llm.deployment import Deployment
from rag_engine.llm.router import RoutedModel
from rag_engine.types.generation import Prompt, Requirements
from rag_engine.types.models import ModelTask
from rag_engine.types.routing import Check
from tests.unit.llm.router.made import NAMES, PROMPT, Known, KnownLoad, Spent, deployment, opened, order, route

numbers = some.floats(0.01, 10)


def test_priority_asks_level_by_level_and_as_they_are_listed() -> None:
    asked = route(deployment("c", order=1), deployment("a"), deployment("d", order=1), deployment("b"))
    assert order(asked) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("strategy", NAMES)
def test_lower_levels_come_first_whatever_the_strategy(strategy: str) -> None:
    dear = [deployment(f"dear {at}", price=90.0, fitness=0.1, order=-1) for at in range(3)]
    cheap = [deployment(f"cheap {at}", price=0.1, fitness=0.9, order=3) for at in range(3)]
    found = order(route(*cheap, *dear, strategy=strategy))
    assert {name.split()[0] for name in found[:3]} == {"dear"}
    assert sorted(found) == sorted(one.name for one in (*cheap, *dear))


@pytest.mark.parametrize("strategy", NAMES)
def test_a_route_of_one_asks_it(strategy: str) -> None:
    assert order(route(deployment("one"), strategy=strategy)) == ["one"]


def test_a_plan_looks_no_further_than_it_must() -> None:
    looked: list[str] = []

    class Watched(KnownLoad):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def seconds(self, output_tokens: int) -> float | None:
            looked.append(self.name)
            return 1.0

    asked = route(*(deployment(f"{at}", load=Watched(f"{at}")) for at in range(100)), strategy="latency")
    ranked = iter(asked.plan(PROMPT).ranked)
    assert not looked
    next(ranked)
    assert len(looked) == 2


@some.composite
def described(draw: some.DrawFn, name: str) -> Deployment:
    made = deployment(
        name,
        weight=draw(numbers),
        order=draw(some.sampled_from((0, 0, 1))),
        local=draw(some.booleans()),
        tags=draw(some.sampled_from(([], ["eu"], ["eu", "fast"]))),
        price=draw(some.none() | numbers),
        window=draw(some.sampled_from((400, 100_000))),
        fitness=draw(some.none() | some.floats(0, 1)),
        budget_per_day=draw(some.sampled_from((None, None, 1e-9, 100.0))),
        clock=lambda: 0.0,
        load=KnownLoad(draw(some.none() | numbers), under_way=draw(some.integers(0, 3))),
    )
    return opened(made) if draw(some.integers(0, 3)) == 0 else made


@some.composite
def routes(draw: some.DrawFn) -> RoutedModel:
    count = draw(some.integers(1, 9))
    known = {f"scripted/{at}": draw(some.floats(0, 1)) for at in range(count) if draw(some.booleans())}
    return route(
        *(draw(described(str(at))) for at in range(count)),
        strategy=draw(some.sampled_from(NAMES)),
        selector=draw(some.sampled_from((None, Known(known)))),
        ledger=Spent({f"scripted/{at}": 0.01 for at in range(count)}),
        generator=random.Random(draw(some.integers(0, 99))),
    )


prompts = some.builds(
    Prompt.plain, some.sampled_from(("Where is it?", "word " * 200)), instructions=some.just("")
).flatmap(
    lambda prompt: some.builds(
        Requirements,
        task=some.sampled_from((None, ModelTask.CODE)),
        tags=some.sampled_from((frozenset(), frozenset({"eu"}))),
        local_only=some.sampled_from((False, False, True)),
        quality_floor=some.none() | some.floats(0, 1),
    ).map(lambda requires: (prompt, requires))
)


@settings(max_examples=200, deadline=None)
@given(asked=routes(), prompt=prompts)
def test_a_decision_tells_the_order_of_the_next_plan_and_changes_nothing(
    asked: RoutedModel, prompt: tuple[Prompt, Requirements]
) -> None:
    wanted = replace(prompt[0], requires=prompt[1])
    decision = asked.decide(wanted)
    assert asked.decide(wanted) == decision
    plan = asked.plan(wanted)
    planned = [one.name for one in plan.ranked]
    placed = [one for one in decision.candidates if one.place is not None]
    assert [one.place for one in placed] == list(range(1, len(placed) + 1))
    rest = [one for one in decision.candidates if one.place is None]
    resorts = [one for one in rest if one.deployment in planned]
    assert planned == [one.deployment for one in (*placed, *resorts)], "each once, and as it was told"
    assert all(one.failed in (Check.HEALTH, Check.LIMITS) for one in resorts)
    assert all(one.failed is None for one in placed)
    rest = [one for one in rest if one.deployment not in planned]
    assert [(one.deployment, one.failed, one.reason) for one in plan.left()] == [
        (one.deployment, one.failed, one.reason) for one in rest
    ]
    assert {one.deployment for one in decision.candidates} == {one.name for one in asked.deployments}
    assert all(one.reason for one in decision.candidates)
    orders = {one.name: one.order for one in asked.deployments}
    roomy = [one for one in placed if "too small" not in one.reason]
    assert placed[: len(roomy)] == roomy
    assert all(orders[one.deployment] <= orders[other.deployment] for one, other in pairwise(roomy))
