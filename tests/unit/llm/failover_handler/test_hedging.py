"""A second call beside a slow one: when it is made, who wins, and that the other leaves nothing behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rag_engine import errors
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler import FailoverHandler, RetryBudget
from rag_engine.llm.failover_handler.hedging import HedgeShare
from rag_engine.llm.rate_limit import RateLimiter, RateLimits
from rag_engine.types.generation import Completion, CompletionDone, TextDelta
from tests.unit.llm.failover_handler.members import (
    QUESTION,
    HeldModel,
    assert_nothing_left,
    deployment,
    handler,
    outcomes,
    plan,
)


def known(held: HeldModel, name: str = "slow", **about: Any) -> Deployment:
    """A deployment that mostly begins to answer at once, as far as is known."""
    made = deployment(name, model=held, **about)
    for _ in range(40):
        made.load.began()
        made.load.ended(seconds=0.002, first_token_seconds=0.001, output_tokens=2)
    return made


def hedging(**policy: Any) -> FailoverHandler:
    """A handler that hedges whatever is slow."""
    return handler(**{"hedge_quantile": 0.9, "hedge_share": 1.0, **policy})


async def answer(handling: FailoverHandler, *deployments: Deployment) -> Completion:
    try:
        return await handling.complete(QUESTION, plan(*deployments))
    finally:
        assert_nothing_left()


def test_a_slow_call_is_overtaken_and_ended() -> None:
    async def ask() -> None:
        slow = HeldModel()
        first = known(slow)
        got = await answer(hedging(), first, deployment("second"))
        assert got.text == "from second"
        assert outcomes(got) == [("slow", "cancelled"), ("second", "stop")]
        assert (slow.open, slow.cancelled, first.load.under_way) == (0, 1, 0)
        assert first.breaker.health().calls == 0

    asyncio.run(ask())


def test_a_slow_call_that_begins_first_after_all_wins_and_the_second_is_ended() -> None:
    async def ask() -> None:
        slow, other = HeldModel(), HeldModel("maker/other")
        second = deployment("second", model=other)
        asking = asyncio.ensure_future(hedging().complete(QUESTION, plan(known(slow), second)))
        await other.asked.wait()
        slow.begin.set()
        slow.go_on.set()
        got = await asking
        assert got.text == "held text"
        assert outcomes(got) == [("slow", "stop"), ("second", "cancelled")]
        assert (other.open, other.cancelled, second.load.under_way) == (0, 1, 0)
        assert_nothing_left()

    asyncio.run(ask())


def test_the_winners_stream_is_read_to_its_end_in_order() -> None:
    async def ask() -> None:
        long = deployment("second", "a long answer, " * 100)
        events = [event async for event in hedging().stream(QUESTION, plan(known(HeldModel()), long))]
        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "a long answer, " * 100
        assert isinstance(events[-1], CompletionDone)
        assert_nothing_left()

    asyncio.run(ask())


def test_a_reader_that_leaves_the_winner_midway_leaves_nothing_behind() -> None:
    async def ask() -> None:
        slow = HeldModel()
        long = deployment("second", "a long answer, " * 1000)
        events = hedging().stream(QUESTION, plan(known(slow), long))
        assert await anext(events) == TextDelta("a lo")
        await events.aclose()  # type: ignore[attr-defined]
        assert (slow.open, long.load.under_way) == (0, 0)
        assert_nothing_left()

    asyncio.run(ask())


def test_a_second_call_that_fails_leaves_the_first_alone() -> None:
    async def ask() -> None:
        slow = HeldModel()
        second = deployment("second", errors.BadResponseError("x"))
        asking = asyncio.ensure_future(hedging().complete(QUESTION, plan(known(slow), second)))
        while not second.model.prompts:  # type: ignore[attr-defined]
            await asyncio.sleep(0)
        slow.begin.set()
        slow.go_on.set()
        assert outcomes(await asking) == [("slow", "stop"), ("second", "bad_response")]

    asyncio.run(ask())


def test_when_the_first_fails_the_second_is_waited_for_and_nobody_else_is_asked() -> None:
    class Failing(HeldModel):
        async def stream(self, prompt: Any) -> Any:
            async for event in super().stream(prompt):
                raise errors.BadResponseError(str(event))
                yield event

    async def ask() -> None:
        slow, other, third = Failing(), HeldModel("maker/other"), deployment("third")
        asking = asyncio.ensure_future(
            hedging().complete(QUESTION, plan(known(slow), deployment("second", model=other), third))
        )
        await other.asked.wait()
        slow.begin.set()
        await asyncio.sleep(0.02)
        other.begin.set()
        other.go_on.set()
        assert outcomes(await asking) == [("slow", "bad_response"), ("second", "stop")]

    asyncio.run(ask())


def test_both_failing_leads_to_the_next_one() -> None:
    async def ask() -> None:
        other = deployment("second", errors.BadResponseError("x"))
        got = await answer(hedging(first_token_seconds=0.2), known(HeldModel()), other, deployment("third"))
        assert outcomes(got) == [("slow", "first_byte_timeout"), ("second", "bad_response"), ("third", "stop")]

    asyncio.run(ask())


def test_a_refusal_of_the_first_is_final_whatever_the_second_would_say() -> None:
    class Refusing(HeldModel):
        async def stream(self, prompt: Any) -> Any:
            self.asked.set()
            await self.begin.wait()
            raise errors.PromptBlockedError("x")
            yield TextDelta("")

    async def ask() -> None:
        first, other = Refusing(), HeldModel("maker/other")
        asking = asyncio.ensure_future(
            hedging().complete(QUESTION, plan(known(first), deployment("second", model=other)))
        )
        await other.asked.wait()
        first.begin.set()
        with pytest.raises(errors.PromptBlockedError) as raised:
            await asking
        assert outcomes(raised.value) == [("slow", "prompt_blocked"), ("second", "cancelled")]
        assert other.open == 0
        assert_nothing_left()

    asyncio.run(ask())


def test_the_same_one_is_asked_beside_itself_where_there_is_no_other() -> None:
    async def ask() -> None:
        slow = HeldModel(holds=lambda number: number == 1)
        got = await answer(hedging(), known(slow))
        assert outcomes(got) == [("slow", "cancelled"), ("slow", "stop")]
        assert slow.open == 0

    asyncio.run(ask())


def test_not_beside_itself_where_its_limits_are_reached() -> None:
    async def ask() -> None:
        slow = HeldModel(holds=lambda number: number == 1)
        alone = known(slow, limiter=RateLimiter(RateLimits(concurrency=1)))
        asking = asyncio.ensure_future(hedging().complete(QUESTION, plan(alone)))
        await asyncio.sleep(0.1)
        assert len(slow.prompts) == 1
        slow.begin.set()
        slow.go_on.set()
        assert outcomes(await asking) == [("slow", "stop")]

    asyncio.run(ask())


@pytest.mark.parametrize(
    "policy", [{"hedge_quantile": 0.0}, {"hedge_share": 0.0}, {"budget": RetryBudget(share=0, burst=0, per_second=0)}]
)
def test_without_a_quantile_a_share_or_a_budget_nobody_is_asked_beside(policy: Any) -> None:
    async def ask() -> None:
        slow, second = HeldModel(), deployment("second")
        asking = asyncio.ensure_future(hedging(**policy).complete(QUESTION, plan(known(slow), second)))
        await asyncio.sleep(0.1)
        assert second.model.prompts == []  # type: ignore[attr-defined]
        slow.begin.set()
        slow.go_on.set()
        await asking

    asyncio.run(ask())


def test_of_many_slow_calls_only_the_share_is_asked_twice() -> None:
    async def ask() -> None:
        handling = hedging(hedge_share=0.05)
        second = deployment("second")
        waiting = []
        for _ in range(100):
            slow = HeldModel()
            waiting.append((slow, asyncio.ensure_future(handling.complete(QUESTION, plan(known(slow), second)))))
        await asyncio.sleep(0.2)
        assert len(second.model.prompts) <= 5  # type: ignore[attr-defined]
        for slow, asking in waiting:
            slow.begin.set()
            slow.go_on.set()
            await asking
        assert_nothing_left()

    asyncio.run(ask())


def test_a_share_gives_as_many_as_were_earned() -> None:
    share = HedgeShare(0.25)
    taken = 0
    for _ in range(1000):
        share.called()
        taken += share.take()
    assert taken == 250
    for _ in range(10_000):
        share.called()
    assert sum(share.take() for _ in range(100)) == 10  # few are kept
