"""Deployments and plans for tests of the failover handler, and models that wait until a test lets them go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from typing import Any

from rag_engine.error_handler import RetryPolicy
from rag_engine.errors import RagEngineError
from rag_engine.llm.circuit_breaker import BreakerPolicy, CircuitBreaker
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler import FailoverHandler, FailoverPolicy, Plan, RetryBudget
from rag_engine.llm.providers.scripted import ScriptedModel
from rag_engine.types.generation import (
    Completion,
    CompletionDone,
    CompletionEvent,
    FinishReason,
    Prompt,
    StreamRestarted,
    TextDelta,
)
from rag_engine.types.models import Ability, ModelProfile, Price
from rag_engine.types.routing import Candidate, Check

STREAMS = frozenset({Ability.STREAMING})
QUESTION = Prompt.plain("How many days?")


def deployment(
    name: str,
    answers: Any = None,
    *,
    model: Any = None,
    window: int = 8000,
    price: float | None = None,
    streams: bool = True,
    least_calls: int = 1000,
    **about: Any,
) -> Deployment:
    """One whose model says ``answers``: a list, a function of the prompt, or always the same thing. Its breaker opens
    for nothing but a cool-down, where ``least_calls`` is left as it is."""
    if not (callable(answers) or isinstance(answers, list)):
        same = f"from {name}" if answers is None else answers
        answers = lambda _: same  # noqa: E731
    return Deployment(
        name,
        ScriptedModel(answers, name=f"maker/{name}", piece_characters=4) if model is None else model,
        ModelProfile(
            "maker",
            name,
            window,
            1000,
            "estimate",
            price=None if price is None else Price(price, price, date(2026, 1, 1)),
            abilities=STREAMS if streams else frozenset(),
        ),
        given_breaker=CircuitBreaker(name, policy=BreakerPolicy(least_calls=least_calls)),
        **about,
    )


def plan(*ranked: Deployment, left: Sequence[str] = (), **about: Any) -> Plan:
    """A plan of these in this order; ``left`` are names of unfit ones."""
    unfit = [Candidate(name, name, None, "a prompt would leave the machine", Check.PRIVACY) for name in left]
    return Plan("route/test", ranked, lambda: unfit, **about)


def handler(
    *, attempts: int = 2, first_wait: float = 0.0, budget: RetryBudget | None = None, **policy: Any
) -> FailoverHandler:
    """One that waits for nothing between tries, hedges nothing and has budget enough, if not told otherwise."""
    policy = {"hedge_quantile": 0.0, **policy}
    return FailoverHandler(
        policy=FailoverPolicy(retry=RetryPolicy(attempts=attempts, first_wait=first_wait), **policy),
        budget=RetryBudget(burst=1000.0) if budget is None else budget,
    )


def complete(handling: FailoverHandler, route: Plan, prompt: Prompt = QUESTION) -> Completion:
    """The answer, in a loop of its own; fails where a task is left behind."""

    async def ask() -> Completion:
        try:
            return await handling.complete(prompt, route)
        finally:
            assert_nothing_left()

    return asyncio.run(ask())


def events_of(
    handling: FailoverHandler, route: Plan, prompt: Prompt = QUESTION
) -> tuple[list[CompletionEvent], Exception | None]:
    """The events of a stream, and what it was ended by."""

    async def read() -> tuple[list[CompletionEvent], Exception | None]:
        events: list[CompletionEvent] = []
        try:
            async for event in handling.stream(prompt, route):
                events.append(event)  # noqa: PERF401 - those before an error are wanted too
        except RagEngineError as error:
            return events, error
        finally:
            assert_nothing_left()
        return events, None

    return asyncio.run(read())


def assert_nothing_left() -> None:
    """No task but the one that asks."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left


def shown(events: Sequence[CompletionEvent]) -> str:
    """What a reader has in the end: the deltas since the last restart."""
    text = ""
    for event in events:
        if isinstance(event, StreamRestarted):
            text = ""
        elif isinstance(event, TextDelta):
            text += event.text
    return text


def asked(*deployments: Deployment) -> list[int]:
    """How often each was asked."""
    return [len(one.model.prompts) for one in deployments]  # type: ignore[attr-defined]


def outcomes(told: Any) -> list[tuple[str, str]]:
    """The attempts that a completion or an error tells of."""
    return [(attempt.deployment, attempt.outcome) for attempt in told.attempts]


class Route:
    """A route as a deployment's model."""

    def __init__(self, handling: FailoverHandler, *deployments: Deployment) -> None:
        self.name = "route/inner"
        self._handling = handling
        self._deployments = deployments

    async def complete(self, prompt: Prompt) -> Completion:
        return await self._handling.complete(prompt, plan(*self._deployments))

    def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        return self._handling.stream(prompt, plan(*self._deployments))


class HeldModel:
    """Streams ``text`` in two pieces, each once the test lets it: ``begin`` before the first, ``go_on`` before the
    second. ``open`` are the streams that have begun and not ended, ``cancelled`` those that were cut."""

    def __init__(
        self, name: str = "maker/held", *, text: str = "held text", holds: Callable[[int], bool] | None = None
    ) -> None:
        self.name = name
        self.text = text
        self.begin = asyncio.Event()
        self.go_on = asyncio.Event()
        self.asked = asyncio.Event()
        self.prompts: list[Prompt] = []
        self.open = 0
        self.cancelled = 0
        self._holds = (lambda _: True) if holds is None else holds

    async def complete(self, prompt: Prompt) -> Completion:
        async for event in self.stream(prompt):
            if isinstance(event, CompletionDone):
                return event.completion
        raise AssertionError

    async def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        self.prompts.append(prompt)
        self.asked.set()
        held = self._holds(len(self.prompts))
        self.open += 1
        done = False
        try:
            if held:
                await self.begin.wait()
            yield TextDelta(self.text[:4])
            if held:
                await self.go_on.wait()
            yield TextDelta(self.text[4:])
            done = True
            yield CompletionDone(Completion(self.text, self.name, FinishReason.STOP))
        finally:
            self.open -= 1
            self.cancelled += not done
