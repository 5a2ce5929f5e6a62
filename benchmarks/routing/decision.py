"""How long a route takes to decide: ``python -m benchmarks.routing.decision``.

A decision is a plan and the first deployment of it: everything between a prompt and the first call. Of each strategy,
for routes of 10, 100 and 1,000 deployments, in microseconds: the median and the 99th percentile, each the best of
several rounds that take turns, so that what else the machine does falls on all alike. ``whole`` is the order down to
the last deployment, as a walk through all of them would find it. ``--open`` opens the breakers of a share of them.
Deployments differ in price, fitness, window, weight and load; ``learned`` is given estimates that are there already, so
that the selector's own time, which is measured with it, is not in it.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from rag_engine.llm import ScriptedModel
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.router import STRATEGIES, RoutedModel
from rag_engine.types.generation import Prompt
from rag_engine.types.models import Ability, ModelProfile, ModelTask, Price
from rag_engine.types.routing import QualityEstimate

SIZES = (10, 100, 1_000)
ROUNDS = 5
_QUESTION = "Which of the treaties did the two countries sign after the conference, and what did each of them promise? "


class _Estimates:
    """A selector that knows already."""

    def __init__(self, known: Mapping[str, QualityEstimate]) -> None:
        self._known = known

    def estimates(self, question: str, *, task: ModelTask, models: Sequence[str]) -> Mapping[str, QualityEstimate]:  # noqa: ARG002
        return self._known


def deployments(count: int, *, open_share: float, seed: int = 1) -> list[Deployment]:
    """So many, unlike each other, each of which has answered before."""
    choice = random.Random(seed)
    made = []
    for number in range(count):
        profile = ModelProfile(
            provider=f"provider{number % 8}",
            name=f"model{number}",
            window=choice.choice((16_000, 128_000, 200_000, 1_000_000)),
            max_output=8_192,
            tokenizer="estimate",
            price=Price(input=choice.uniform(0.1, 10), output=choice.uniform(0.4, 40), as_of=date(2026, 1, 1)),
            abilities=frozenset({Ability.STREAMING, Ability.TOOLS}),
            fitness={task: choice.random() for task in ModelTask},
        )
        deployment = Deployment(
            f"deployment{number}", ScriptedModel(), profile, weight=choice.choice((1, 2, 4)), local=number % 5 == 0
        )
        for _ in range(20):
            deployment.load.began()
            deployment.load.ended(seconds=choice.uniform(0.5, 5), first_token_seconds=0.3, output_tokens=200)
        if choice.random() < open_share:
            permit = deployment.breaker.acquire()
            if permit is not None:
                permit.failed(cause="benchmark", cool_down=3_600.0)
        made.append(deployment)
    return made


def routes(count: int, *, open_share: float) -> dict[str, RoutedModel]:
    """One of each strategy, over the same deployments."""
    among = deployments(count, open_share=open_share)
    known = {
        deployment.profile.full_name: QualityEstimate(0.3 + 0.4 * random.Random(at).random(), 0.2, 0.8, 30)
        for at, deployment in enumerate(among)
    }
    return {
        name: RoutedModel(
            name=name, deployments=among, strategy=name, selector=_Estimates(known) if name == "learned" else None
        )
        for name in STRATEGIES
    }


def first_of(route: RoutedModel, prompt: Prompt) -> object:
    """A decision."""
    return next(iter(route.plan(prompt).ranked), None)


def all_of(route: RoutedModel, prompt: Prompt) -> object:
    """A decision down to the last deployment."""
    return list(route.plan(prompt).ranked)


def microseconds(
    decide: Callable[[RoutedModel, Prompt], object], route: RoutedModel, prompt: Prompt, calls: int
) -> list[float]:
    """Of each of so many decisions."""
    clock = time.perf_counter_ns
    taken = []
    for _ in range(calls):
        started = clock()
        decide(route, prompt)
        taken.append((clock() - started) / 1_000)
    return taken


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table, or with ``--json`` an object with the rows and the slowest strategy's median."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing.decision", description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000, help="decisions of each kind in a round")
    parser.add_argument("--deployments", type=int, nargs="+", default=SIZES, help="how many a route has")
    parser.add_argument("--open", type=float, default=0.0, help="share of deployments whose breakers are open")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    prompt = Prompt.plain(_QUESTION * 30, instructions="Answer from the sources. " * 10)
    rows: list[dict[str, Any]] = []
    if not options.json:
        print(f"{'strategy':<12}{'deployments':>12}{'median us':>11}{'p99 us':>9}{'whole us':>10}")
    for size in options.deployments:
        made = routes(size, open_share=options.open)
        for route in made.values():  # what is remembered of a kind of prompts is found out by the first of them
            first_of(route, prompt)
        rounds: dict[str, list[tuple[float, float, float]]] = {name: [] for name in made}
        for _ in range(ROUNDS):
            for name, route in made.items():
                first = microseconds(first_of, route, prompt, options.calls)
                whole = microseconds(all_of, route, prompt, max(1, options.calls // 20))
                percentile = statistics.quantiles(first, n=100)[98]
                rounds[name].append((statistics.median(first), percentile, statistics.median(whole)))
        for name, figures in rounds.items():
            median, late, whole_order = (min(column) for column in zip(*figures, strict=True))
            times = {"median_us": round(median, 2), "p99_us": round(late, 2), "whole_us": round(whole_order, 2)}
            rows.append({"strategy": name, "deployments": size, **times})
            if not options.json:
                print(f"{name:<12}{size:>12}{median:>11.1f}{late:>9.1f}{whole_order:>10.1f}")
    if options.json:
        print(json.dumps({"rows": rows, "slowest_median": max(row["median_us"] for row in rows)}))


if __name__ == "__main__":
    main()
