"""Tracing: spans with OpenTelemetry's names, in-process statistics, and an exporter only when configured."""

from rag_engine.tracing.exporter import configure_exporter
from rag_engine.tracing.spans import current_trace_id, span, statistics
from rag_engine.tracing.statistics import StageStatistics, Statistics

__all__ = ["StageStatistics", "Statistics", "configure_exporter", "current_trace_id", "span", "statistics"]
