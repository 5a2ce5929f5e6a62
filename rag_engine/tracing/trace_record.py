"""A finished trace as it is kept and read: one JSON object, whatever was strange in what it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag_engine.tracing.performance import PerformanceMetric

if TYPE_CHECKING:
    from rag_engine.tracing.spans import Span

# Of a text; only contents are longer, and a file of traces is no place for whole documents.
CHARACTERS_KEPT = 8000


@dataclass(frozen=True, slots=True)
class AlikeSpans:
    """Spans of one name beyond those that are kept one by one; ``seconds`` is their sum."""

    name: str
    count: int
    seconds: float
    failed: int


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """A span with those within it. ``start`` is in seconds from the trace's; ``error`` is a code or class, or empty."""

    name: str
    start: float
    seconds: float
    error: str
    attributes: Mapping[str, Any]
    children: tuple[SpanRecord, ...] = ()
    alike: tuple[AlikeSpans, ...] = ()

    def walk(self) -> Iterator[SpanRecord]:
        """This span and all within it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One operation from its beginning to its end. ``at`` is when it began, in seconds since 1970, UTC."""

    trace: str
    at: float
    root: SpanRecord

    @property
    def failed(self) -> bool:
        """Whether anything in it failed, also where the operation got over it."""
        return any(span.error or any(rest.failed for rest in span.alike) for span in self.root.walk())

    def runs(self) -> Iterator[PerformanceMetric]:
        """Each span that is kept one by one, as a run of an operation."""
        for span in self.root.walk():
            yield PerformanceMetric(span.name, span.seconds, span.error)


def trace_line(root: Span) -> bytes:
    """A finished trace as one line, its end included."""
    fields = {"trace": root.trace.id, "at": round(root.trace.started_at, 3), "root": _span_fields(root, root.started)}
    return json.dumps(fields, separators=(",", ":"), default=str).encode() + b"\n"


def _span_fields(span: Span, beginning: float) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": span.name,
        "start": round(span.started - beginning, 6),
        "seconds": round(span.seconds, 6),
    }
    if span.error:
        fields["error"] = span.error
    if span.attributes:
        fields["attributes"] = {name: _kept(value) for name, value in span.attributes.items()}
    if span.children:
        fields["children"] = [_span_fields(child, beginning) for child in span.children]
    if span.alike:
        fields["alike"] = [
            {"name": name, "count": count, "seconds": round(seconds, 6), "failed": failed}
            for name, (count, seconds, failed) in span.alike.items()
        ]
    return fields


def _kept(value: object) -> object:
    if isinstance(value, str) and len(value) > CHARACTERS_KEPT:
        return value[: CHARACTERS_KEPT - 1] + "…"
    return value


def parse_trace(line: bytes) -> TraceRecord | None:
    """The trace of a line; None where it is none: torn by a kill, or written by something else."""
    try:
        fields = json.loads(line)
        return TraceRecord(trace=str(fields["trace"]), at=float(fields["at"]), root=_parse_span(fields["root"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _parse_span(fields: Mapping[str, Any]) -> SpanRecord:
    return SpanRecord(
        name=str(fields["name"]),
        start=float(fields["start"]),
        seconds=float(fields["seconds"]),
        error=str(fields.get("error", "")),
        attributes=dict(fields.get("attributes", {})),
        # Spans end in another order than they begin in.
        children=tuple(sorted(map(_parse_span, fields.get("children", ())), key=lambda span: span.start)),
        alike=tuple(
            AlikeSpans(str(rest["name"]), int(rest["count"]), float(rest["seconds"]), int(rest["failed"]))
            for rest in fields.get("alike", ())
        ),
    )
