"""Probes of deployments in the background: when they are made, and that nothing of them is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from rag_engine.errors import InvalidKeyError, OverloadedError, PromptBlockedError
from rag_engine.llm.circuit_breaker import BreakerPolicy, CircuitBreaker
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.providers.scripted import ScriptedModel
from rag_engine.llm.rate_limit import RateLimiter, RateLimits
from rag_engine.llm.routes import ActiveProbes, probe
from rag_engine.types.generation import Completion, CompletionEvent, Prompt
from rag_engine.types.models import ModelProfile
from rag_engine.types.routing import BreakerState

PROFILE = ModelProfile(provider="vllm", name="m", window=8192, max_output=1024, tokenizer="estimate")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Held:
    """A model that answers when it is let."""

    name = "held"

    def __init__(self) -> None:
        self.asked = 0
        self.under_way = 0
        self.let = asyncio.Event()

    async def complete(self, prompt: Prompt) -> Completion:
        self.asked += 1
        self.under_way += 1
        try:
            await self.let.wait()
            return await ScriptedModel(["ok"]).complete(prompt)
        finally:
            self.under_way -= 1

    def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        raise AssertionError("a probe asks for the whole answer")


def deployment(model: object, clock: Callable[[], float], *, limits: RateLimits | None = None) -> Deployment:
    return Deployment(
        name="d",
        model=model,  # type: ignore[arg-type]
        profile=PROFILE,
        given_breaker=CircuitBreaker("d", policy=BreakerPolicy(least_calls=1), clock=clock),
        limiter=RateLimiter(limits),
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def test_an_open_breaker_is_closed_by_a_probe_without_anybody_asking() -> None:
    async def main() -> None:
        clock = Clock()
        model = ScriptedModel(["ok"])
        watched = deployment(model, clock)
        permit = watched.breaker.acquire()
        assert permit is not None
        permit.failed(cause="server")
        assert watched.breaker.state is BreakerState.OPEN
        async with ActiveProbes({"d": watched}, {"d": 3600.0}, clock=clock):
            await asyncio.sleep(0.05)
            assert model.prompts == []
            clock.now += 6.0
            await until(lambda: watched.breaker.state is BreakerState.CLOSED)
        assert [prompt.sampling.max_output_tokens for prompt in model.prompts] == [1]

    asyncio.run(main())


def test_only_those_are_probed_that_nobody_asked_for_so_long() -> None:
    async def main() -> None:
        clock = Clock()
        idle, busy = ScriptedModel(lambda _: "ok"), ScriptedModel(lambda _: "ok")
        one, other = deployment(idle, clock), deployment(busy, clock)
        async with ActiveProbes({"a": one, "b": other}, {"a": 60.0, "b": 60.0}, clock=clock):
            await asyncio.sleep(0)
            for _ in range(4):
                permit = other.breaker.acquire()
                assert permit is not None
                permit.succeeded()
                clock.now += 20.0
                await asyncio.sleep(1.05)
        assert len(idle.prompts) == 1
        assert busy.prompts == []

    asyncio.run(main())


def test_exactly_one_probe_runs_and_ending_leaves_nothing_behind() -> None:
    async def main() -> None:
        clock = Clock()
        model = Held()
        watched = deployment(model, clock)
        before = asyncio.all_tasks()
        probes = ActiveProbes({"d": watched}, {"d": 1.0}, clock=clock)
        async with probes:
            clock.now += 5.0
            await until(lambda: model.asked == 1)
            probes.start()  # a second time
            clock.now += 5.0
            await asyncio.sleep(1.1)
            assert model.asked == model.under_way == 1
        assert model.under_way == 0
        assert asyncio.all_tasks() == before
        assert not probes.running
        permit = watched.breaker.acquire()
        assert permit is not None

    asyncio.run(main())


def test_a_deployment_at_its_limit_is_not_probed() -> None:
    async def main() -> None:
        clock = Clock()
        model = ScriptedModel(lambda _: "ok")
        watched = deployment(model, clock, limits=RateLimits(concurrency=1))
        taken = watched.limiter.acquire(input_tokens=1, output_tokens=1)
        assert not isinstance(taken, float)
        async with ActiveProbes({"d": watched}, {"d": 1.0}, clock=clock):
            clock.now += 5.0
            await asyncio.sleep(0.1)
            assert model.prompts == []
            taken.released()
            clock.now += 5.0
            await until(lambda: len(model.prompts) == 1)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (OverloadedError("no"), BreakerState.OPEN),
        (InvalidKeyError("no"), BreakerState.OPEN),
        (PromptBlockedError("no"), BreakerState.CLOSED),
    ],
)
def test_a_probe_tells_the_breaker_what_the_error_says_of_the_deployment(error: Exception, state: BreakerState) -> None:
    watched = deployment(ScriptedModel([error]), Clock())
    outcome = asyncio.run(probe(watched, permit=watched.breaker.acquire()))
    assert watched.breaker.state is state
    assert (outcome.error is None) is (state is BreakerState.CLOSED)
