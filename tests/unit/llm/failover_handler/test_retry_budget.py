"""Extra calls are bounded by what calls, time and answers earn; and who waits for leave hears in any case."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine.errors import ConfigurationError
from rag_engine.llm.failover_handler.retry_budget import RetryBudget


class Clock:
    """Time as the tests say it is."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def withdrawn(budget: RetryBudget, times: int) -> int:
    """How many of so many have leave without a wait."""
    return sum([await budget.withdraw(deadline=time.monotonic()) for _ in range(times)])


def test_a_share_of_an_extra_call_is_earned_by_each_call_and_the_burst_is_there_at_once(clock: Clock) -> None:
    budget = RetryBudget(share=0.1, burst=10, per_second=0, clock=clock)
    assert asyncio.run(withdrawn(budget, 20)) == 10
    for _ in range(30):
        budget.called()
    assert asyncio.run(withdrawn(budget, 20)) == 3
    for _ in range(1000):
        budget.called()
    assert asyncio.run(withdrawn(budget, 20)) == 10


def test_time_earns_up_to_the_burst(clock: Clock) -> None:
    budget = RetryBudget(share=0, burst=5, per_second=1, clock=clock)
    assert asyncio.run(withdrawn(budget, 9)) == 5
    clock.seconds += 2
    assert asyncio.run(withdrawn(budget, 9)) == 2
    clock.seconds += 3600
    assert asyncio.run(withdrawn(budget, 9)) == 5


def test_an_answered_extra_call_earns_two_and_a_failed_one_none(clock: Clock) -> None:
    budget = RetryBudget(share=0, burst=1, per_second=0, clock=clock)
    assert asyncio.run(withdrawn(budget, 2)) == 1
    budget.ended(answered=True)
    assert asyncio.run(withdrawn(budget, 3)) == 2
    for _ in range(2):
        budget.ended(answered=False)
    assert asyncio.run(withdrawn(budget, 1)) == 0


def test_what_answers_earned_is_forgotten_after_some_seconds_and_bounded(clock: Clock) -> None:
    budget = RetryBudget(share=0, burst=4, per_second=0, clock=clock)

    async def main() -> None:
        for _ in range(1000):
            assert await budget.withdraw(deadline=time.monotonic())
            budget.ended(answered=True)
        assert budget.left <= 4 + 5 * 4
        clock.seconds += 6
        assert budget.left <= 4

    asyncio.run(main())


def test_when_everything_fails_extra_calls_stay_below_a_fifth_of_the_calls(clock: Clock) -> None:
    budget = RetryBudget(clock=clock)

    async def main() -> int:
        extra = 0
        for number in range(1000):
            budget.called()
            clock.seconds += 0.01 if number % 2 else 0.0
            for _ in range(3):
                if not await budget.withdraw(deadline=time.monotonic()):
                    break
                extra += 1
                budget.ended(answered=False)
        return extra

    assert asyncio.run(main()) <= 200


def test_a_thousand_callers_whose_first_model_died_are_all_served_by_the_second(clock: Clock) -> None:
    budget = RetryBudget(clock=clock)
    under_way = most = 0

    async def call() -> bool:
        nonlocal under_way, most
        budget.called()
        if not await budget.withdraw(deadline=time.monotonic() + 60):
            return False
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        budget.ended(answered=True)
        return True

    async def main() -> list[bool]:
        return await asyncio.gather(*(call() for _ in range(1000)))

    assert all(asyncio.run(main()))
    assert most < 1000


def test_who_waits_hears_when_there_is_nothing_more_to_wait_for(clock: Clock) -> None:
    budget = RetryBudget(share=0, burst=2, per_second=0, clock=clock)

    async def main() -> list[bool]:
        assert await withdrawn(budget, 2) == 2
        waiting = [asyncio.ensure_future(budget.withdraw(deadline=time.monotonic() + 60)) for _ in range(5)]
        await asyncio.sleep(0)
        budget.ended(answered=False)
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        budget.ended(answered=False)
        return await asyncio.gather(*waiting)

    assert asyncio.run(main()) == [False] * 5


def test_the_first_to_wait_is_the_first_to_have_leave(clock: Clock) -> None:
    budget = RetryBudget(share=0.5, burst=1, per_second=0, clock=clock)
    order: list[int] = []

    async def wait(number: int) -> None:
        assert await budget.withdraw(deadline=time.monotonic() + 60)
        order.append(number)

    async def main() -> None:
        assert await withdrawn(budget, 1) == 1
        tasks = [asyncio.ensure_future(wait(number)) for number in range(3)]
        await asyncio.sleep(0)
        for _ in range(6):
            budget.called()
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert order == [0, 1, 2]


def test_a_deadline_ends_a_wait_and_leaves_nothing_behind(clock: Clock) -> None:
    budget = RetryBudget(share=0, burst=1, per_second=0, clock=clock)

    async def main() -> None:
        assert await withdrawn(budget, 1) == 1
        assert not await budget.withdraw(deadline=time.monotonic() + 0.01)
        assert not budget._waiters

    asyncio.run(main())


@pytest.mark.parametrize("given_before", [False, True])
def test_a_cancelled_waiter_leaves_its_place_and_its_leave_to_others(clock: Clock, given_before: bool) -> None:
    budget = RetryBudget(share=0, burst=1, per_second=0, clock=clock)

    async def main() -> None:
        assert await withdrawn(budget, 1) == 1
        cancelled, second, third = (
            asyncio.ensure_future(budget.withdraw(deadline=time.monotonic() + 60)) for _ in range(3)
        )
        await asyncio.sleep(0)
        if given_before:  # leave for the first two, of which the first does not come to hear
            budget.ended(answered=True)
        cancelled.cancel()
        await asyncio.sleep(0)
        if not given_before:
            budget.ended(answered=True)
        assert await second
        assert await third
        assert cancelled.cancelled()
        assert not budget._waiters
        assert budget._under_way == 2

    asyncio.run(main())


def test_waiters_of_several_loops_and_threads_all_hear(clock: Clock) -> None:
    budget = RetryBudget(share=0, burst=1, per_second=0, clock=clock)
    assert asyncio.run(withdrawn(budget, 1)) == 1
    gate = threading.Barrier(5)

    def one_loop(_: int) -> int:
        async def call() -> bool:
            if not await budget.withdraw(deadline=time.monotonic() + 60):
                return False
            await asyncio.sleep(0)
            budget.ended(answered=True)
            return True

        async def main() -> int:
            tasks = [asyncio.ensure_future(call()) for _ in range(50)]
            await asyncio.sleep(0)
            await asyncio.to_thread(gate.wait)
            return sum(await asyncio.gather(*tasks))

        return asyncio.run(main())

    with ThreadPoolExecutor(4) as threads:
        counts = threads.map(one_loop, range(4))
        gate.wait()
        budget.ended(answered=True)
        assert sum(counts) == 200
    assert budget._under_way == 0


def test_the_leave_of_a_waiter_whose_loop_is_closed_goes_to_the_next(clock: Clock) -> None:
    budget = RetryBudget(share=0, burst=1, per_second=0, clock=clock)
    assert asyncio.run(withdrawn(budget, 1)) == 1
    loop = asyncio.new_event_loop()
    waiting = budget.withdraw(deadline=math.inf)
    task = loop.create_task(waiting)
    loop.run_until_complete(asyncio.sleep(0))
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is left as a killed thread would leave it
    loop.close()

    async def main() -> None:
        other = asyncio.ensure_future(budget.withdraw(deadline=time.monotonic() + 60))
        await asyncio.sleep(0)
        budget.ended(answered=True)
        assert await other

    asyncio.run(main())
    assert budget.left == 1


@pytest.mark.parametrize("wrong", [{"share": -0.1}, {"burst": math.inf}, {"per_second": math.nan}])
def test_a_budget_that_cannot_be_is_refused_with_its_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        RetryBudget(**wrong)


def test_a_budget_of_nothing_gives_no_leave() -> None:
    assert asyncio.run(withdrawn(RetryBudget(share=0, burst=0, per_second=0), 3)) == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["call", "extra", "answered", "failed", "second"]), max_size=120))
def test_whatever_happens_no_more_is_spent_than_was_earned(steps: list[str]) -> None:
    clock = Clock()
    budget = RetryBudget(share=0.25, burst=3, per_second=0.5, clock=clock)
    earned, spent, under_way = 3.0, 0, 0

    async def main() -> None:
        nonlocal earned, spent, under_way
        for step in steps:
            if step == "call":
                budget.called()
                earned += 0.25
            elif step == "second":
                clock.seconds += 1
                earned += 0.5
            elif step == "extra":
                left = budget.left
                given_leave = await budget.withdraw(deadline=time.monotonic())
                assert given_leave == (left >= 1)
                spent += given_leave
                under_way += given_leave
            elif under_way:
                under_way -= 1
                budget.ended(answered=step == "answered")
                earned += 2 * (step == "answered")
            assert 0 <= budget.left <= 3 + 5 * 3
            assert spent <= earned
            assert not budget._waiters

    asyncio.run(main())
