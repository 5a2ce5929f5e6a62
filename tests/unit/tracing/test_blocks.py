"""Functions and blocks of one's own as spans."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator

import pytest

from rag_engine import tracing
from rag_engine.errors import ParsingError
from rag_engine.tracing import PerformanceTracer, trace_block, trace_performance


@pytest.fixture
def tracer() -> PerformanceTracer:
    return PerformanceTracer()


def counted(tracer: PerformanceTracer) -> dict[str, tuple[int, int]]:
    return {row.name: (row.count, row.failed) for row in tracer.report()}


def test_a_function_is_counted_call_by_call_and_stays_what_it_was(tracer: PerformanceTracer) -> None:
    @trace_performance(tracer=tracer)
    def double(number: int, *, more: int = 0) -> int:
        """Doubles."""
        assert tracing.current_span() is not None
        return 2 * number + more

    assert [double(1), double(2, more=1)] == [2, 5]
    assert (double.__name__, double.__doc__) == ("double", "Doubles.")
    assert counted(tracer) == {"double": (2, 0)}


def test_a_function_that_fails_is_counted_as_failed_and_raises(tracer: PerformanceTracer) -> None:
    @trace_performance(name="reading", tracer=tracer)
    def read() -> None:
        raise ParsingError("bad")

    with pytest.raises(ParsingError):
        read()
    assert counted(tracer) == {"reading": (1, 1)}
    assert tracer.failing()[0].last_error == "parsing"


def test_an_async_function_counts_until_it_was_awaited(tracer: PerformanceTracer) -> None:
    @trace_performance(tracer=tracer)
    async def wait(number: int) -> int:
        await asyncio.sleep(0.01)
        return number

    async def whole() -> list[int]:
        return await asyncio.gather(*map(wait, range(5)))

    assert inspect.iscoroutinefunction(wait)
    assert asyncio.run(whole()) == list(range(5))
    (row,) = tracer.report()
    assert row.count == 5
    assert row.least >= 0.01


def test_a_cancelled_call_is_counted_and_stays_cancelled(tracer: PerformanceTracer) -> None:
    @trace_performance(tracer=tracer)
    async def wait() -> None:
        await asyncio.sleep(60)

    async def whole() -> None:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(whole())
    assert tracer.failing()[0].last_error == "CancelledError"


def test_a_generator_counts_from_its_first_piece_to_its_end(tracer: PerformanceTracer) -> None:
    @trace_performance(tracer=tracer)
    def pieces(number: int) -> Iterator[int]:
        yield from range(number)

    stream = pieces(3)
    assert tracer.report() == []
    assert next(stream) == 0
    assert tracing.current_span() is None
    assert list(stream) == [1, 2]
    assert counted(tracer) == {"pieces": (1, 0)}


def test_a_generator_is_sent_to_and_returns_as_it_did(tracer: PerformanceTracer) -> None:
    def echo() -> Iterator[object]:
        said = yield "ready"
        yield said
        return "done"

    stream = trace_performance(name="echo", tracer=tracer)(echo)()
    assert next(stream) == "ready"
    assert stream.send("hello") == "hello"  # type: ignore[attr-defined]
    with pytest.raises(StopIteration) as ended:
        next(stream)
    assert ended.value.value == "done"


def test_an_async_generator_that_is_left_early_is_closed_and_counted(tracer: PerformanceTracer) -> None:
    closed = []

    @trace_performance(tracer=tracer)
    async def pieces() -> AsyncIterator[int]:
        try:
            for number in range(10):
                yield number
        finally:
            closed.append(True)

    async def whole() -> list[int]:
        found = []
        stream = pieces()
        async for piece in stream:
            found.append(piece)
            if piece == 2:
                break
        await stream.aclose()  # type: ignore[attr-defined]
        return found

    assert asyncio.run(whole()) == [0, 1, 2]
    assert closed == [True]
    assert list(counted(tracer)) == ["pieces"]


def test_without_arguments_the_process_counts_under_the_functions_name() -> None:
    @trace_performance
    def a_function_of_its_own() -> None:
        pass

    a_function_of_its_own()
    assert tracing.performance.seconds()["a_function_of_its_own"] > 0


def test_a_block_is_a_span_with_attributes_counted_where_that_is_said(tracer: PerformanceTracer) -> None:
    with trace_block("work", {"rag.results": 3}, tracer=tracer) as block:
        assert tracing.current_span() is block
        block.set_attribute("rag.texts", 4)
    assert block.attributes == {"rag.results": 3, "rag.texts": 4}
    assert counted(tracer) == {"work": (1, 0)}
    assert "work" not in tracing.performance.seconds()
