"""A span as OpenTelemetry has it; imported only where a provider was set."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Token
from typing import TYPE_CHECKING

from opentelemetry import context
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context

from rag_engine.tracing import names
from rag_engine.tracing.names import AttributeValue

if TYPE_CHECKING:
    from opentelemetry.context import Context


class ExportedSpan:
    """Begun with the span that it stands for; ended with its attributes, which are then known."""

    __slots__ = ("_span", "_token")

    def __init__(self, tracer: Tracer, name: str, *, kind: str, running: bool) -> None:
        """With ``running``, spans of others that begin meanwhile are its children too."""
        self._span = tracer.start_span(name, kind=SpanKind[kind], record_exception=False, set_status_on_exception=False)
        self._token: Token[Context] | None = context.attach(set_span_in_context(self._span)) if running else None

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits; empty where the provider gives none."""
        found = self._span.get_span_context()
        return f"{found.trace_id:032x}" if found.is_valid else ""

    def end(self, attributes: Mapping[str, AttributeValue], error: str) -> None:
        """Ends it with everything that is known of it."""
        if self._token is not None:
            context.detach(self._token)
        if self._span.is_recording():
            self._span.set_attributes(attributes)
            if error:
                self._span.set_attribute(names.ERROR_CODE, error)
                self._span.set_status(Status(StatusCode.ERROR, error))
        self._span.end()
