"""Runs what may fail without taking along what calls it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from rag_engine.error_handler.aggregator import ErrorAggregator, default_aggregator
from rag_engine.error_handler.context import ErrorContext

Result = TypeVar("Result")
Default = TypeVar("Default")


@overload
def safe_execute(
    function: Callable[[], Awaitable[Result]],
    *,
    default: Default,
    context: ErrorContext | str = ...,
    aggregator: ErrorAggregator | None = ...,
) -> Awaitable[Result | Default]: ...


@overload
def safe_execute(
    function: Callable[[], Result],
    *,
    default: Default,
    context: ErrorContext | str = ...,
    aggregator: ErrorAggregator | None = ...,
) -> Result | Default: ...


def safe_execute(
    function: Callable[[], Any],
    *,
    default: Any,
    context: ErrorContext | str = "safe_execute",
    aggregator: ErrorAggregator | None = None,
) -> Any:
    """What ``function`` gives, or ``default`` where it raises an Exception, which is counted and goes no further. Of an
    async function, or one that gives something to be awaited, the result is to be awaited.

    It is for what an answer can do without: a statistic, a warm cache, one of several sources. Never for the answer.

    Not held up are a cancellation, Control-C, the interpreter's end and everything else that is no Exception; nor
    MemoryError, after which nothing can be relied on, though it is counted.

    ``context`` is where it happens, or just the component's name; ``aggregator`` counts in place of the context's.
    """
    place = ErrorContext(context) if isinstance(context, str) else context
    counts = aggregator or place.aggregator or default_aggregator()
    place = ErrorContext(place.component, place.operation, place.provider, place.model, place.attributes, counts)
    if inspect.iscoroutinefunction(function):
        return _awaited(function, default, place)
    try:
        result = function()
        if inspect.isawaitable(result):
            return _awaited(lambda: result, default, place)
    except MemoryError as error:
        place.note(error)
        raise
    except Exception as error:  # noqa: BLE001 - to hold every error is what it is for
        place.note(error)
        return default
    counts.record_success(place.component)
    return result


async def _awaited(function: Callable[[], Awaitable[Any]], default: Any, place: ErrorContext) -> Any:
    try:
        with place:
            return await function()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - to hold every error is what it is for
        return default
