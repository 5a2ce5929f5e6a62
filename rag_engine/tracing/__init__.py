"""Tracing: spans with OpenTelemetry's names, figures of this process, the last traces of an index, and an exporter
only when configured."""

from rag_engine.tracing.blocks import trace_block, trace_performance
from rag_engine.tracing.chat import ChatSpan, chat_span
from rag_engine.tracing.exporter import configure_exporter
from rag_engine.tracing.journal import TraceJournal, read_traces
from rag_engine.tracing.performance import (
    PerformanceMetric,
    PerformanceStats,
    PerformanceTracer,
    performance,
    performance_of,
)
from rag_engine.tracing.spans import Span, current_span, current_trace_id, kept_by, span
from rag_engine.tracing.trace_record import AlikeSpans, SpanRecord, TraceRecord

__all__ = [
    "AlikeSpans",
    "ChatSpan",
    "PerformanceMetric",
    "PerformanceStats",
    "PerformanceTracer",
    "Span",
    "SpanRecord",
    "TraceJournal",
    "TraceRecord",
    "chat_span",
    "configure_exporter",
    "current_span",
    "current_trace_id",
    "kept_by",
    "performance",
    "performance_of",
    "read_traces",
    "span",
    "trace_block",
    "trace_performance",
]
