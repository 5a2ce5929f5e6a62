"""Deployments and routes for tests, each with only what its test is about."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from rag_engine.errors import StorageError
from rag_engine.llm import ScriptedModel
from rag_engine.llm.circuit_breaker import CircuitBreaker
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.deployment_load import DeploymentLoad
from rag_engine.llm.rate_limit import RateLimiter, RateLimits
from rag_engine.llm.router import RoutedModel, Strategy
from rag_engine.protocols import LanguageModel
from rag_engine.types.calls import CallRecord
from rag_engine.types.generation import Prompt
from rag_engine.types.models import Ability, ModelProfile, ModelTask, Price
from rag_engine.types.routing import QualityEstimate

PROMPT = Prompt.plain("Where is it?")
# A strategy may fail to see what it ought not to look at; these go by nothing at all.
NAMES = ("priority", "task", "cost", "latency", "weighted", "least_busy", "learned")


class KnownLoad(DeploymentLoad):
    """As busy and as fast as it is told."""

    def __init__(self, seconds: float | None = None, *, under_way: int = 0) -> None:
        super().__init__()
        self.known = seconds
        for _ in range(under_way):
            self.began()

    def seconds(self, output_tokens: int) -> float | None:
        return self.known


class Known:
    """A selector that knows, or cannot tell."""

    def __init__(self, means: Mapping[str, float], *, error: Exception | None = None) -> None:
        self._means = means
        self._error = error
        self.asked: list[tuple[str, ModelTask, tuple[str, ...]]] = []

    def estimates(self, question: str, *, task: ModelTask, models: Sequence[str]) -> Mapping[str, QualityEstimate]:
        self.asked.append((question, task, tuple(models)))
        if self._error is not None:
            raise self._error
        return {
            name: QualityEstimate(mean, max(0.0, mean - 0.1), min(1.0, mean + 0.1), 12)
            for name, mean in self._means.items()
            if name in models
        }


class Spent:
    """A ledger that says what was spent, or cannot."""

    has_budget = False

    def __init__(self, spent: Mapping[str, float] | None) -> None:
        self.amounts = spent

    def spent(self) -> Mapping[str, float]:
        if self.amounts is None:
            raise StorageError("the file is locked")
        return self.amounts

    def reserve(self, *, model: str, cost: float | None) -> int | None:
        return None

    def record(self, record: CallRecord) -> None:
        raise AssertionError("a route records nothing")


class Drawn(random.Random):
    """Draws these numbers, one after the other."""

    def __init__(self, numbers: Sequence[float]) -> None:
        super().__init__()
        self._numbers = iter(numbers)

    def random(self) -> float:
        return next(self._numbers)


def profile(
    name: str = "one",
    *,
    provider: str = "scripted",
    window: int = 100_000,
    max_output: int = 1_000,
    price: float | tuple[float, float] | None = 1.0,
    abilities: Sequence[Ability] = (Ability.STREAMING,),
    fitness: Mapping[ModelTask, float] | float | None = None,
    known: bool = True,
) -> ModelProfile:
    """``price`` is US dollars for a million tokens, read or written."""
    each = (price, price) if isinstance(price, (int, float)) else price
    fit = dict.fromkeys(ModelTask, fitness) if isinstance(fitness, float) else fitness or {}
    return ModelProfile(
        provider=provider,
        name=name,
        window=window,
        max_output=max_output,
        tokenizer="estimate",
        price=None if each is None else Price(input=each[0], output=each[1], as_of=date(2026, 1, 1)),
        abilities=frozenset(abilities),
        fitness=fit,
        known=known,
    )


def deployment(
    name: str, *, model: LanguageModel | None = None, load: DeploymentLoad | None = None,
    limits: RateLimits | None = None, described: ModelProfile | None = None, weight: float = 1.0, order: int = 0,
    tags: Sequence[str] = (), local: bool = False, budget_per_day: float | None = None,
    clock: Callable[[], float] = time.monotonic, **about: Any,
) -> Deployment:  # fmt: skip
    """``clock`` is its breaker's, ``about`` are for its profile."""
    return Deployment(
        name,
        ScriptedModel(name=name) if model is None else model,
        profile(name, **about) if described is None else described,
        weight=weight,
        order=order,
        tags=frozenset(tags),
        local=local,
        budget_per_day=budget_per_day,
        given_breaker=CircuitBreaker(name, clock=clock),
        limiter=RateLimiter(limits),
        load=KnownLoad() if load is None else load,
    )


def route(*deployments: Deployment, strategy: Strategy | str = "priority", **about: Any) -> RoutedModel:
    """The route ``test`` of these."""
    return RoutedModel(name="test", deployments=deployments, strategy=strategy, **about)


def order(asked: RoutedModel, prompt: Prompt = PROMPT) -> list[str]:
    """Names, as they would be asked."""
    return [deployment.name for deployment in asked.plan(prompt).ranked]


def first(asked: RoutedModel, prompt: Prompt = PROMPT) -> str:
    """The name of the one that would be asked first."""
    return next(iter(asked.plan(prompt).ranked)).name


def opened(broken: Deployment) -> Deployment:
    """The same with an open breaker."""
    permit = broken.breaker.acquire()
    assert permit is not None
    permit.failed(cause="server_error", cool_down=3_600.0)
    return broken
