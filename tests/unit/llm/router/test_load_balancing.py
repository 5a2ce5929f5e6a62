"""How calls are spread over deployments: by weight, by speed, and by how busy they are."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest

from rag_engine.llm.deployment import Deployment
from rag_engine.llm.router import RoutedModel
from tests.unit.llm.router.made import PROMPT, Drawn, KnownLoad, deployment, first, opened, order, route


def counted(asked: RoutedModel, calls: int) -> Counter[str]:
    return Counter(first(asked) for _ in range(calls))


def evenly(count: int) -> Drawn:
    """Numbers of [0, 1), one from the middle of each of ``count`` equal parts: what a fair draw comes to."""
    return Drawn([(at + 0.5) / count for at in range(count)])


def test_calls_are_shared_by_weight_to_the_very_call() -> None:
    members = [deployment("four", weight=4), deployment("two", weight=2), deployment("one", weight=1)]
    assert counted(route(*members, strategy="weighted", generator=evenly(700)), 700) == {
        "four": 400,
        "two": 200,
        "one": 100,
    }


def test_what_one_that_is_not_well_leaves_falls_to_the_others_by_their_weights() -> None:
    members = [opened(deployment("ill", weight=8)), deployment("two", weight=2), deployment("one", weight=1)]
    counts = counted(route(*members, strategy="weighted", generator=random.Random(7)), 9_000)
    assert counts["ill"] == 0
    assert abs(counts["two"] - 6_000) < 200, "4.5 standard deviations of a fair draw, and the seed is fixed"


def test_the_second_and_third_are_drawn_by_weight_too() -> None:
    members = [deployment("heavy", weight=6), deployment("middle", weight=2), deployment("light", weight=1)]
    asked = route(*members, strategy="weighted", generator=random.Random(3))
    seconds = Counter(found[1] for found in (order(asked) for _ in range(9_000)) if found[0] == "heavy")
    assert abs(seconds["middle"] / seconds.total() - 2 / 3) < 0.03


def test_weights_far_apart_still_give_everybody_a_place() -> None:
    members = [deployment("all", weight=1e12), *(deployment(f"{at}", weight=1e-9) for at in range(5))]
    found = order(route(*members, strategy="weighted", generator=random.Random(1)))
    assert found[0] == "all"
    assert sorted(found) == sorted(one.name for one in members)


def test_of_two_that_are_drawn_the_faster_is_asked() -> None:
    fast, slow = deployment("fast", load=KnownLoad(1.0)), deployment("slow", load=KnownLoad(3.0))
    asked = route(
        slow, fast, deployment("slowest", load=KnownLoad(9.0)), strategy="latency", generator=random.Random(5)
    )
    counts = counted(asked, 3_000)
    assert counts["slowest"] == 0, "of any two it is the slower"
    assert abs(counts["fast"] - 2_000) < 120


def test_calls_under_way_count_against_the_fastest() -> None:
    busy = deployment("busy", load=KnownLoad(1.0, under_way=4))
    assert first(route(busy, deployment("idle", load=KnownLoad(3.0)), strategy="latency")) == "idle"


def test_one_that_was_never_asked_is_asked_but_not_by_everybody_at_once() -> None:
    new = deployment("new", load=KnownLoad(None))
    asked = route(deployment("known", load=KnownLoad(0.1)), new, strategy="latency")
    assert first(asked) == "new"
    new.load.began()
    assert first(asked) == "known"


def test_no_deployment_is_sent_every_call_however_fast_it_is() -> None:
    members = [deployment(f"{at}", load=KnownLoad(1.0 + at)) for at in range(10)]
    counts = counted(route(*members, strategy="latency", generator=random.Random(11)), 4_500)
    assert abs(counts["0"] - 900) < 120, "a fifth: it is among two of ten"


def test_the_least_busy_for_its_weight_is_asked() -> None:
    members = [
        deployment("two of one", load=KnownLoad(under_way=2)),
        deployment("three of four", weight=4, load=KnownLoad(under_way=3)),
        deployment("one of one", load=KnownLoad(under_way=1)),
    ]
    assert order(route(*members, strategy="least_busy")) == ["three of four", "one of one", "two of one"]


def test_the_idle_are_asked_in_turn_by_lot() -> None:
    members = [deployment(f"{at}") for at in range(4)]
    assert counted(route(*members, strategy="least_busy", generator=evenly(400)), 400) == dict.fromkeys("0123", 100)


@pytest.mark.parametrize("strategy", ["least_busy", "latency"])
def test_calls_that_stay_under_way_spread_evenly(strategy: str) -> None:
    members = [deployment(f"{at}", load=KnownLoad(1.0)) for at in range(8)]
    asked = route(*members, strategy=strategy, generator=random.Random(2))
    for _ in range(800):
        next(iter(asked.plan(PROMPT).ranked)).load.began()
    busy = [one.load.under_way for one in members]
    assert max(busy) - min(busy) <= (1 if strategy == "least_busy" else 10)


@pytest.mark.parametrize(
    ("strategy", "members"),
    [
        ("weighted", lambda: [deployment(str(at), weight=1.0 + at) for at in range(4)]),
        ("least_busy", lambda: [deployment(str(at), load=KnownLoad(under_way=at // 3)) for at in range(5)]),
        ("latency", lambda: [deployment(str(at), load=KnownLoad((1.0, 2.0, 2.0, 5.0)[at])) for at in range(4)]),
    ],
)
def test_the_probability_that_a_decision_tells_is_that_of_the_draws(
    strategy: str, members: Callable[[], list[Deployment]]
) -> None:
    asked = route(*members(), strategy=strategy, generator=random.Random(4))
    told = {
        one.deployment: float(one.reason.rpartition("probability ")[2]) if "probability" in one.reason else 0.0
        for one in asked.decide(PROMPT).candidates
    }
    assert abs(sum(told.values()) - 1) < 0.03
    counts = counted(asked, 6_000)
    assert all(abs(counts[name] / 6_000 - probability) < 0.03 for name, probability in told.items()), (told, counts)
