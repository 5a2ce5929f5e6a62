"""Spans around every stage: a tree with times, counted always, written and exported only where that is wished.

The running span is a context variable: it follows ``await``, tasks and ``asyncio.to_thread``.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from rag_engine.errors import RagEngineError
from rag_engine.tracing import names
from rag_engine.tracing.names import AttributeValue
from rag_engine.tracing.performance import PerformanceTracer, performance
from rag_engine.tracing.telemetry import active_instruments, active_tracer, metric_attributes

if TYPE_CHECKING:
    from rag_engine.tracing.span_export import ExportedSpan

# A trace of a long ingest stays as small as one of a question: alike spans beyond are only counted.
CHILDREN_KEPT = 32
SPANS_KEPT = 256

_ending = threading.Lock()


class Keeper(Protocol):
    """Where a trace goes when its first span ends."""

    content: bool

    def keep(self, root: Span) -> None:
        """Takes the whole trace; never raises for want of space or rights."""
        ...


class Trace:
    """What the spans of one trace share."""

    __slots__ = ("ended", "id", "keeper", "spans", "started_at", "tracer")

    def __init__(self) -> None:
        self.id = os.urandom(16).hex()
        self.keeper = _keeper.get()
        self.tracer = active_tracer()
        self.started_at = time.time()
        self.spans = 0
        self.ended = False


class Span:
    """A timed block, and what is known of it. A context manager, for one use."""

    __slots__ = (
        "_exported",
        "_running",
        "_token",
        "alike",
        "attributes",
        "children",
        "error",
        "name",
        "parent",
        "seconds",
        "started",
        "trace",
    )
    _kind = "INTERNAL"
    parent: Span | None
    trace: Trace
    started: float

    def __init__(
        self, name: str, attributes: Mapping[str, AttributeValue] | None = None, *, running: bool = True
    ) -> None:
        """With ``running`` spans that begin meanwhile are its children."""
        self.name = name
        self.attributes: dict[str, AttributeValue] = dict(attributes) if attributes else {}
        self.error = ""
        self.seconds = 0.0
        self.children: list[Span] = []
        self.alike: dict[str, list[float]] = {}  # name: runs, seconds, failed runs
        self._running = running
        self._token: Token[Span | None] | None = None
        self._exported: ExportedSpan | None = None

    def __enter__(self) -> Self:
        parent = _current.get()
        if parent is not None and parent.trace.ended:  # a task that outlived what it was begun in
            parent = None
        self.parent = parent
        self.trace = Trace() if parent is None else parent.trace
        if self._running:
            self._token = _current.set(self)
        if self.trace.tracer is not None:
            self._export()
        self.started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self.started
        if error is not None:
            self.set_error(error)
        if self._token is not None:
            try:
                _current.reset(self._token)
            except ValueError:  # ended in another context, as an abandoned generator is
                _current.set(None)
            self._token = None
        self._counted_by().record(self.name, self.seconds, error=self.error)
        if names.OPERATION in self.attributes:
            self._measure()
        if self._exported is not None:
            self._exported.end(self.attributes, self.error)
        self._hand_over()

    def _counted_by(self) -> PerformanceTracer:
        return performance

    def _hand_over(self) -> None:
        """To the parent, or, of a trace's first span, to where traces are kept."""
        parent, trace = self.parent, self.trace
        self.parent = None  # no circles: a trace is gone as soon as nobody holds it
        if parent is None:
            trace.ended = True
            if trace.keeper is not None:
                trace.keeper.keep(self)
        elif trace.keeper is not None:
            parent._take(self)

    def _take(self, child: Span) -> None:
        with _ending:
            if len(self.children) < CHILDREN_KEPT and self.trace.spans < SPANS_KEPT:
                self.trace.spans += 1
                self.children.append(child)
                return
            sums = self.alike.setdefault(child.name, [0, 0.0, 0])
            sums[0] += 1
            sums[1] += child.seconds
            sums[2] += bool(child.error)

    def set_attribute(self, name: str, value: AttributeValue) -> None:
        """Says something of the span, under one of the names of ``tracing.names``; never text of a user or document."""
        self.attributes[name] = value

    def set_content(self, name: str, text: str) -> None:
        """Says what was asked or answered, where ``tracing.content`` lets it; no key may be part of it."""
        if self.has_content:
            self.attributes[name] = text

    @property
    def has_content(self) -> bool:
        """Whether texts are kept with this trace."""
        return self.trace.keeper is not None and self.trace.keeper.content

    def set_error(self, error: BaseException | str) -> None:
        """Marks the span as failed: by an error's stable code or class, never its message, which may quote a text."""
        if isinstance(error, str):
            self.error = error
        else:
            self.error = error.code if isinstance(error, RagEngineError) else type(error).__name__

    def _export(self) -> None:
        from rag_engine.tracing.span_export import ExportedSpan

        assert self.trace.tracer is not None  # noqa: S101 - asked by the caller
        self._exported = ExportedSpan(self.trace.tracer, self.name, kind=self._kind, running=self._running)
        if self.parent is None and self._exported.trace_id:
            self.trace.id = self._exported.trace_id  # one trace, one id, here and there

    def _measure(self) -> None:
        instruments = active_instruments()
        if instruments is not None:
            attributes = metric_attributes(self.attributes)
            if self.error:
                attributes[names.ERROR_CODE] = self.error
            instruments.duration.record(self.seconds, attributes)


_current: ContextVar[Span | None] = ContextVar("rag_engine_span", default=None)
_keeper: ContextVar[Keeper | None] = ContextVar("rag_engine_traces", default=None)


def span(name: str, attributes: Mapping[str, AttributeValue] | None = None) -> Span:
    """A span named ``name`` around a block, with attributes under the names of ``tracing.names``.

    An error leaves its class and, for the engine's own errors, its stable code on the span.
    """
    return Span(name, attributes)


class kept_by:  # noqa: N801 - used as a function is
    """A context in which traces that begin are handed to ``keeper`` when they end; None: to nobody."""

    def __init__(self, keeper: Keeper | None) -> None:
        self._keeper = keeper

    def __enter__(self) -> None:
        self._token = _keeper.set(self._keeper)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _keeper.reset(self._token)


def current_span() -> Span | None:
    """The running span; None outside of any."""
    return _current.get()


def current_trace_id() -> str:
    """The running trace's id, 32 hexadecimal digits; empty outside of any span."""
    running = _current.get()
    return "" if running is None else running.trace.id
