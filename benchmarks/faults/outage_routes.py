"""Our route of two deployments over the servers of an outage."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from benchmarks.faults.failover_providers import MODELS
from benchmarks.faults.failover_verdicts import FALLBACK, PRIMARY
from rag_engine.llm import open_model
from rag_engine.llm.circuit_breaker import BreakerPolicy, CircuitBreaker
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler import FailoverHandler, FailoverPolicy
from rag_engine.llm.router import RoutedModel
from rag_engine.protocols import HealthLedger, LanguageModel
from rag_engine.types.generation import Completion, CompletionEvent, Prompt
from rag_engine.types.routing import BreakerState

KEY = "sk-test-0123456789abcdefghijklmnopqrstuvwxyz"
QUESTION = Prompt.plain("What is the capital of France?")
LONGEST_TO_OPEN = 100


@dataclass
class Stamped:
    """A model that notes when it is asked; everything else is that of the model it holds."""

    model: LanguageModel
    moments: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """That of the model it holds."""
        return self.model.name

    async def complete(self, prompt: Prompt) -> Completion:
        """Notes and asks."""
        self.moments.append(time.perf_counter())
        return await self.model.complete(prompt)

    def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        """Notes and asks."""
        self.moments.append(time.perf_counter())
        return self.model.stream(prompt)


@dataclass
class TwoDeployments:
    """A route with its two deployments at hand."""

    route: RoutedModel
    deployments: Mapping[str, Deployment]
    stamps: Mapping[str, Stamped]

    @property
    def breaker(self) -> CircuitBreaker:
        """The primary's."""
        return self.deployments[PRIMARY].breaker

    async def ask(self) -> str:
        """The name of the deployment that answered.

        Raises:
            LanguageModelError: none did.
        """
        return (await self.route.complete(QUESTION)).attempts[-1].deployment

    async def until_open(self) -> None:
        """Asks until the primary's breaker is open."""
        for _ in range(LONGEST_TO_OPEN):
            if self.breaker.state is BreakerState.OPEN:
                return
            await self.ask()
        raise RuntimeError(f"the breaker did not open in {LONGEST_TO_OPEN} calls")


@asynccontextmanager
async def two_deployments(
    urls: Mapping[str, str],
    *,
    policy: FailoverPolicy | None = None,
    breaker: BreakerPolicy | None = None,
    ledger: HealthLedger | None = None,
) -> AsyncIterator[TwoDeployments]:
    """The route, the primary first; its connections are closed behind it."""
    opened = {name: open_model(f"openai/{MODELS[name]}", base_url=f"{urls[name]}/v1", key=KEY) for name in urls}
    stamps = {name: Stamped(model) for name, model in opened.items()}
    deployments = {
        name: Deployment(
            name=name,
            model=stamps[name],
            profile=opened[name].profile,
            order=(PRIMARY, FALLBACK).index(name),
            given_breaker=CircuitBreaker(name, policy=breaker, ledger=ledger),
        )
        for name in (PRIMARY, FALLBACK)
    }
    route = RoutedModel(name="two", deployments=tuple(deployments.values()), failover=FailoverHandler(policy=policy))
    try:
        yield TwoDeployments(route, deployments, stamps)
    finally:
        for model in opened.values():
            await model.aclose()
