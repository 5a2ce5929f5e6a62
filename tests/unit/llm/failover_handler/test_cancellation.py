"""A caller that is cancelled, wherever it waits just then, leaves no task, stream, permit or count behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from rag_engine import errors
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler import FailoverHandler, RetryBudget
from rag_engine.llm.rate_limit import RateLimiter, RateLimits
from rag_engine.types.generation import Completion, CompletionDone, CompletionEvent, FinishReason, Prompt, TextDelta
from tests.unit.llm.failover_handler.members import (
    QUESTION,
    HeldModel,
    assert_nothing_left,
    deployment,
    handler,
    plan,
)


class Stepping:
    """Waits a turn of the loop before every event, and once more when it is closed."""

    def __init__(self, name: str, *, fails: bool = False) -> None:
        self.name = name
        self.open = 0
        self._fails = fails

    async def complete(self, prompt: Prompt) -> Completion:
        raise NotImplementedError

    async def stream(self, _: Prompt) -> AsyncIterator[CompletionEvent]:
        self.open += 1
        try:
            await asyncio.sleep(0)
            yield TextDelta("a")
            await asyncio.sleep(0)
            if self._fails:
                raise errors.ServerError("x")
            yield TextDelta("b")
            await asyncio.sleep(0)
            yield CompletionDone(Completion("ab", self.name, FinishReason.STOP))
        finally:
            try:
                await asyncio.sleep(0)
            finally:
                self.open -= 1


def stepping(name: str, **about: Any) -> Deployment:
    made = deployment(name, model=Stepping(f"maker/{name}", **about), limiter=RateLimiter(RateLimits(concurrency=1)))
    for _ in range(40):
        made.load.began()
        made.load.ended(seconds=0.0, first_token_seconds=1e-9, output_tokens=2)
    return made


async def whole(handling: FailoverHandler, *deployments: Deployment) -> None:
    await handling.complete(QUESTION, plan(*deployments))


async def streamed(handling: FailoverHandler, *deployments: Deployment) -> None:
    events = handling.stream(QUESTION, plan(*deployments))
    try:
        async for _ in events:
            await asyncio.sleep(0)
    finally:
        await events.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("hedge_quantile", [0.0, 0.9])
@pytest.mark.parametrize("ask", [whole, streamed])
def test_cancelled_at_any_turn_of_the_loop_nothing_is_left(ask: Callable[..., Any], hedge_quantile: float) -> None:
    async def turn(number: int) -> bool:
        deployments = [stepping("first", fails=True), stepping("second")]
        handling = handler(hedge_quantile=hedge_quantile, hedge_share=1.0)
        task = asyncio.ensure_future(ask(handling, *deployments))
        for _ in range(number):
            await asyncio.sleep(0)
        finished = task.done()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            assert not finished
        assert_nothing_left()
        for one in deployments:
            assert one.model.open == 0  # type: ignore[attr-defined]
            assert one.load.under_way == 0
            assert one.limiter.available
            assert one.breaker.available
        return finished

    finished = [asyncio.run(turn(number)) for number in range(80)]
    assert not finished[0]
    assert finished[-1]


def test_a_cancelled_probe_lets_the_next_caller_probe() -> None:
    async def ask() -> None:
        held = HeldModel()
        first = deployment("first", model=held)
        first.breaker.acquire().failed(cause="x", cool_down=0.01)  # type: ignore[union-attr]
        await asyncio.sleep(0.05)
        asking = asyncio.ensure_future(handler().complete(QUESTION, plan(first)))
        await held.asked.wait()
        assert not first.breaker.available
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert first.breaker.available

    asyncio.run(ask())


def test_a_time_limit_of_the_callers_own_raises_its_own_error() -> None:
    async def ask() -> None:
        held = HeldModel()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await handler().complete(QUESTION, plan(deployment("first", model=held), deployment("second")))
        assert held.open == 0
        assert_nothing_left()

    asyncio.run(ask())


def test_the_failure_of_a_task_beside_ends_the_call_in_a_group() -> None:
    async def ask() -> None:
        held = HeldModel()

        async def failing() -> None:
            await held.asked.wait()
            raise ZeroDivisionError

        async def both() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(handler().complete(QUESTION, plan(deployment("first", model=held))))
                group.create_task(failing())

        with pytest.raises(ExceptionGroup):
            await both()
        assert held.open == 0

    asyncio.run(ask())


def test_cancelled_while_it_waits_for_a_retry_it_gives_its_leave_of_the_budget_back() -> None:
    async def ask() -> None:
        budget = RetryBudget(share=0, burst=1, per_second=0)
        first = deployment("first", errors.RateLimitError("x", retry_after=5.0))
        asking = asyncio.ensure_future(handler(budget=budget).complete(QUESTION, plan(first)))
        while not first.model.prompts:  # type: ignore[attr-defined]
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        loop = asyncio.get_running_loop()
        before = loop.time()
        assert not await budget.withdraw(deadline=before + 60)  # nobody is under way any more: at once
        assert loop.time() - before < 30

    asyncio.run(ask())


def test_the_callers_of_one_probe_all_get_their_answer_and_only_one_of_them_probes() -> None:
    async def ask() -> None:
        held = HeldModel(holds=lambda number: number == 1)
        first = deployment("first", model=held)
        first.breaker.acquire().failed(cause="x", cool_down=0.01)  # type: ignore[union-attr]
        await asyncio.sleep(0.05)
        handling = handler()
        callers = [asyncio.ensure_future(handling.complete(QUESTION, plan(first))) for _ in range(200)]
        await held.asked.wait()
        await asyncio.sleep(0.05)
        assert len(held.prompts) == 1
        held.begin.set()
        held.go_on.set()
        answers = await asyncio.gather(*callers)
        assert {answer.text for answer in answers} == {"held text"}

    asyncio.run(ask())
