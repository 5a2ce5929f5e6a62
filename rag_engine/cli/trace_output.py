"""What ``rag trace`` prints without --json: each trace as a tree, or a table of operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from rag_engine.cli.terminal import console, in_one_line
from rag_engine.tracing import names

if TYPE_CHECKING:
    from rag_engine.tracing import PerformanceStats, SpanRecord, TraceRecord

# The first two stand in a span's name.
_NOT_SHOWN = {names.OPERATION, names.REQUEST_MODEL}
_CONTENT = {names.SYSTEM_INSTRUCTIONS, names.INPUT_MESSAGES, names.OUTPUT_MESSAGES, names.QUERY_TEXT}
CHARACTERS_SHOWN = 80


def show_traces(records: Sequence[TraceRecord], *, kept: int) -> None:
    """Each trace as a tree: what ran, how long, and what is known of it."""
    out = console()
    for record in records:
        at = datetime.fromtimestamp(record.at, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        line = _line(record.root).append(f"  {at}  {record.trace}", style="dim")
        tree = Tree(line.append_text(_known(record.root.attributes)), guide_style="dim")
        _grow(tree, record.root)
        out.print(tree)
    if not records:
        out.print(Text("no such trace; tracing.keep says how many are kept" if kept else "no trace is kept yet"))


def _grow(tree: Tree, span: SpanRecord) -> None:
    for child in span.children:
        _grow(tree.add(_line(child).append_text(_known(child.attributes))), child)
    for rest in span.alike:
        line = Text.assemble(
            (f"{rest.count} more ", "dim"), in_one_line(rest.name), "  ", (_time(rest.seconds), "cyan")
        )
        if rest.failed:
            line.append(f"  {rest.failed} failed", style="bold red")
        tree.add(line)


def _line(span: SpanRecord) -> Text:
    line = Text.assemble((in_one_line(span.name), "bold"), "  ", (_time(span.seconds), "cyan"))
    if span.error:
        line.append(f"  {in_one_line(span.error)}", style="bold red")
    return line


def _known(attributes: Mapping[str, Any]) -> Text:
    shown = Text(style="dim")
    for name, value in attributes.items():
        if name in _NOT_SHOWN or value == "":
            continue
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        text = f"{value:.4g}" if isinstance(value, float) else in_one_line(text)
        if len(text) > CHARACTERS_SHOWN and name not in _CONTENT:
            text = text[: CHARACTERS_SHOWN - 1] + "…"
        shown.append(f"  {in_one_line(name.removeprefix('gen_ai.').removeprefix('rag.'))}={text}")
    return shown


def show_operations(rows: Sequence[PerformanceStats]) -> None:
    """One line an operation."""
    out = console()
    if not rows:
        out.print(Text("no such operation in what is kept"))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("operation")
    for heading in ("runs", "failed", "mean", "p50", "p95", "p99", "longest", "in all"):
        table.add_column(heading, justify="right")
    for row in rows:
        failed = Text(f"{row.failed} ({in_one_line(row.last_error)})", style="bold red") if row.failed else Text("0")
        times = (row.mean, row.p50, row.p95, row.p99, row.most, row.seconds)
        table.add_row(Text(in_one_line(row.name)), str(row.count), failed, *map(_time, times))
    out.print(table)


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.1f} ms" if seconds >= 0.001 else f"{seconds * 1e6:.0f} µs"
