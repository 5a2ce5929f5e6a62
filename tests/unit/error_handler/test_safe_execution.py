"""What an answer can do without may fail without taking the answer along."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rag_engine.error_handler import ErrorAggregator, ErrorContext, safe_execute
from rag_engine.errors import ServerError


def run(raised: BaseException | None, *, sync: bool, **options: Any) -> Any:
    def plain() -> str:
        if raised is not None:
            raise raised
        return "result"

    async def waiting() -> str:
        await asyncio.sleep(0)
        return plain()

    async def awaited() -> Any:
        return await safe_execute(waiting, default="default", **options)

    return safe_execute(plain, default="default", **options) if sync else asyncio.run(awaited())


both = pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])


@both
def test_a_result_is_given_and_counted_as_a_call(sync: bool) -> None:
    aggregator = ErrorAggregator()
    assert run(None, sync=sync, context="cache", aggregator=aggregator) == "result"
    assert (aggregator.calls(), aggregator.counts()) == ({"cache": 1}, {"cache": {}})


@both
@pytest.mark.parametrize("error", [ServerError("x"), ValueError("x"), RecursionError()])
def test_an_error_gives_the_default_and_is_counted(sync: bool, error: Exception) -> None:
    aggregator = ErrorAggregator()
    context = ErrorContext("cache", "warm", aggregator=aggregator)
    assert run(error, sync=sync, context=context) == "default"
    assert sum(aggregator.counts()["cache"].values()) == 1
    assert error.__notes__ == ["in cache, warm"]


@both
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_cancelling_and_the_like_are_not_held_up(sync: bool, kind: type[BaseException]) -> None:
    with pytest.raises(kind):
        run(kind(), sync=sync, aggregator=ErrorAggregator())


@both
def test_no_memory_is_counted_and_not_held_up(sync: bool) -> None:
    aggregator = ErrorAggregator()
    with pytest.raises(MemoryError):
        run(MemoryError(), sync=sync, context="cache", aggregator=aggregator)
    assert aggregator.counts() == {"cache": {"MemoryError": 1}}


def test_what_a_plain_function_gives_to_be_awaited_is_held_too() -> None:
    async def failing() -> None:
        raise ServerError("x")

    async def main() -> Any:
        begun = failing()
        return await safe_execute(lambda: begun, default="default", aggregator=ErrorAggregator())

    assert asyncio.run(main()) == "default"


def test_cancelling_a_task_reaches_what_it_runs_safely() -> None:
    async def main() -> None:
        started = asyncio.Event()

        async def waiting() -> None:
            started.set()
            await asyncio.sleep(3600)

        task = asyncio.ensure_future(safe_execute(waiting, default=None, aggregator=ErrorAggregator()))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_default_none_and_the_aggregator_of_the_call_before_that_of_the_context() -> None:
    mine, other = ErrorAggregator(), ErrorAggregator()

    def failing() -> int:
        raise ServerError("x")

    assert safe_execute(failing, default=None, context=ErrorContext("a", aggregator=other), aggregator=mine) is None
    assert (mine.counts(), other.counts()) == ({"a": {"server": 1}}, {})
