"""Retries never multiply, hold up no cancellation, and do not count each other's attempts."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from rag_engine.error_handler import Failure, RetryPolicy, retry_is_owned, retry_with_backoff
from rag_engine.errors import (
    ServerError,
)
from tests.unit.error_handler.scripted_calls import Clock, Scripted, both, run


@both
def test_a_retry_inside_a_retry_calls_once(sync: bool) -> None:
    calls: list[bool] = []

    def innermost() -> None:
        calls.append(retry_is_owned())
        raise ServerError("x")

    inner = retry_with_backoff(innermost, policy=RetryPolicy(attempts=5))
    with pytest.raises(ServerError) as caught:
        run(inner, sync=sync, clock=Clock())
    assert calls == [True, True, True]
    assert len(caught.value.attempts) == 3
    assert not retry_is_owned()


def test_tasks_within_an_async_retry_are_within_it_and_those_that_outlive_it_are_not() -> None:
    owned: list[bool] = []
    left: list[asyncio.Task[None]] = []

    async def asked() -> None:
        gate = asyncio.Event()

        async def within() -> None:
            owned.append(retry_is_owned())

        async def outliving() -> None:
            await gate.wait()
            await asyncio.sleep(0)
            owned.append(retry_is_owned())

        await asyncio.gather(within())
        left.append(asyncio.ensure_future(outliving()))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.01, gate.set)

    async def main() -> None:
        await retry_with_backoff(asked)()
        await left[0]

    asyncio.run(main())
    assert owned == [True, False]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit(), asyncio.CancelledError()])
def test_what_is_no_exception_passes_at_once_and_is_told_to_nobody(error: BaseException) -> None:
    told: list[Failure] = []
    scripted = Scripted(error)
    with pytest.raises(type(error)) as caught:
        run(scripted, sync=True, clock=Clock(), on_failure=told.append)
    assert caught.value is error
    assert (scripted.calls, told) == (1, [])


@pytest.mark.parametrize("asleep", [True, False])
def test_cancelling_ends_an_async_retry_at_once_whether_it_calls_or_waits(asleep: bool) -> None:
    calls: list[int] = []

    async def asked() -> None:
        calls.append(1)
        if not asleep:
            await asyncio.sleep(3600)
        raise ServerError("x")

    async def main() -> None:
        task = asyncio.ensure_future(
            retry_with_backoff(asked, policy=RetryPolicy(first_wait=3600, longest_wait=3600))()
        )
        while not calls:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert calls == [1]


def test_many_tasks_share_one_decorated_function_without_counting_each_others_attempts() -> None:
    @retry_with_backoff(policy=RetryPolicy(attempts=3, first_wait=0.0))
    async def asked(failures: list[int]) -> str:
        await asyncio.sleep(0)
        if failures.pop():
            raise ServerError("x")
        return "answer"

    async def main() -> list[str]:
        return await asyncio.gather(*(asked([0, 1, 1]) for _ in range(50)))

    assert asyncio.run(main()) == ["answer"] * 50


def test_a_coroutine_that_is_thrown_away_while_it_waits_leaves_nothing_behind() -> None:
    async def asked() -> None:
        raise ServerError("x")

    async def forever(_: float) -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        coroutine = retry_with_backoff(asked, sleep=forever)()
        with contextlib.suppress(StopIteration):
            coroutine.send(None)
        coroutine.close()
        assert not retry_is_owned()

    asyncio.run(main())
