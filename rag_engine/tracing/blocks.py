"""``trace_performance`` for functions, ``trace_block`` for blocks: spans of one's own code, counted where wished."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any, ParamSpec, TypeVar, cast, overload

from rag_engine.tracing.names import AttributeValue
from rag_engine.tracing.performance import PerformanceTracer, performance
from rag_engine.tracing.spans import Span

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


class _Block(Span):
    __slots__ = ("_tracer",)

    def __init__(
        self,
        name: str,
        attributes: Mapping[str, AttributeValue] | None = None,
        *,
        tracer: PerformanceTracer,
        running: bool = True,
    ) -> None:
        super().__init__(name, attributes, running=running)
        self._tracer = tracer

    def _counted_by(self) -> PerformanceTracer:
        return self._tracer


def trace_block(
    name: str, attributes: Mapping[str, AttributeValue] | None = None, *, tracer: PerformanceTracer = performance
) -> Span:
    """A span around a block, counted by ``tracer``: the process's own where none is given."""
    return _Block(name, attributes, tracer=tracer)


@overload
def trace_performance(function: Callable[_Given, _Made], /) -> Callable[_Given, _Made]: ...


@overload
def trace_performance(
    *, name: str | None = None, tracer: PerformanceTracer = performance
) -> Callable[[Callable[_Given, _Made]], Callable[_Given, _Made]]: ...


def trace_performance(
    function: Callable[..., Any] | None = None, /, *, name: str | None = None, tracer: PerformanceTracer = performance
) -> Any:
    """Has every call of a function be a span, named as the function is unless ``name`` says otherwise.

    An async function counts until it was awaited. A generator, async ones too, counts from its first piece to its
    end, the time that its reader takes between them included; what the reader does is no child of it.
    """
    if function is None:
        return functools.partial(_traced, name=name, tracer=tracer)
    return _traced(function, name=name, tracer=tracer)


def _traced(function: Callable[..., Any], *, name: str | None, tracer: PerformanceTracer) -> Callable[..., Any]:
    shown = name or function.__qualname__.rpartition("<locals>.")[2]
    wrapper: Callable[..., Any]
    if inspect.isasyncgenfunction(function):

        async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
            with _Block(shown, tracer=tracer, running=False):
                async with aclosing(cast("AsyncGenerator[Any, None]", function(*args, **kwargs))) as pieces:
                    async for piece in pieces:
                        yield piece

    elif inspect.isgeneratorfunction(function):

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _Block(shown, tracer=tracer, running=False):
                return (yield from function(*args, **kwargs))

    elif inspect.iscoroutinefunction(function):

        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _Block(shown, tracer=tracer):
                return await function(*args, **kwargs)

    else:

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _Block(shown, tracer=tracer):
                return function(*args, **kwargs)

    return functools.wraps(function)(wrapper)
