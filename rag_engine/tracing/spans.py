"""Spans around every stage, on the OpenTelemetry API: recorded in-process always, exported only when configured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode

from rag_engine.errors import RagEngineError
from rag_engine.tracing import names
from rag_engine.tracing.statistics import Statistics

AttributeValue: TypeAlias = str | bool | int | float

statistics = Statistics()


@contextmanager
def span(name: str, attributes: Mapping[str, AttributeValue] | None = None) -> Iterator[Span]:
    """A span named ``name`` around the block, with attributes under the names of ``tracing.names``.

    An error leaves its class and, for the engine's own errors, its stable code on the span; never
    its message, which may quote a document.
    """
    tracer = trace.get_tracer("rag_engine")
    started = time.perf_counter()
    failed = False
    with tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as current:
        if attributes and current.is_recording():
            current.set_attributes(attributes)
        try:
            yield current
        except BaseException as error:
            failed = True
            code = error.code if isinstance(error, RagEngineError) else type(error).__name__
            current.set_attribute(names.ERROR_CODE, code)
            current.set_status(Status(StatusCode.ERROR, code))
            raise
        finally:
            statistics.record(name, time.perf_counter() - started, failed=failed)


def current_trace_id() -> str:
    """The running trace's id, 32 hexadecimal digits; empty where nothing records."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""
