"""What ``rag ingest`` prints without --json: the outcome, or with ``--dry-run`` what it would take."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.text import Text

from rag_engine.cli.output import MOST_FAILURES_SHOWN, truncation_lines
from rag_engine.cli.terminal import console, error_console, in_one_line

if TYPE_CHECKING:
    from rag_engine.types.document import SourceFailure
    from rag_engine.types.ingestion import IngestEstimate, IngestReport


def show_ingest(report: IngestReport) -> None:
    """The outcome of an ingest."""
    documents, chunks, out = report.documents, report.chunks, console()
    parts = [f"{count:,} {word}" for word, count in dataclasses.asdict(documents).items() if count or word == "added"]
    out.print(f"[bold]{escape(report.index)}[/bold]: documents {', '.join(parts)}")
    out.print(
        f"chunks {chunks.total:,} in all "
        f"({chunks.added:,} added, {chunks.reused:,} reused, {chunks.deleted:,} deleted); "
        f"{report.embedded:,} embedded; commit {report.commit}; {report.seconds:.1f} s"
    )
    for line in truncation_lines(report.truncated, report.truncations):
        out.print(Text(line, style="yellow"))
    _show_failures(report.failures, all_of_them="rag status lists them")


def show_estimate(estimate: IngestEstimate) -> None:
    """What an ingest would take."""
    out = console()
    about = "" if estimate.exact else "about "
    out.print(f"to read: {estimate.files:,} files, {_size(estimate.bytes)}; {estimate.unchanged:,} files are unchanged")
    out.print(f"{about}{estimate.documents:,} documents, {estimate.chunks:,} chunks, {estimate.tokens:,} tokens")
    out.print(f"about {_duration(estimate.seconds)}, and {_size(estimate.disk_bytes)} on disk")
    sampled = f"{estimate.sampled_files:,} files ({_size(estimate.sampled_bytes)})"
    out.print(Text(f"told from {sampled}; nothing was written", style="dim"))
    _show_failures(estimate.failures, all_of_them="--json lists them")


def _show_failures(failures: Sequence[SourceFailure], *, all_of_them: str) -> None:
    if not failures:
        return
    error = error_console()
    for failure in failures[:MOST_FAILURES_SHOWN]:
        reason = in_one_line(f"{failure.source}: {failure.error}; {failure.hint}")
        error.print(f"[yellow]not ingested:[/yellow] {escape(reason)}")
    if len(failures) > MOST_FAILURES_SHOWN:
        error.print(f"… and {len(failures) - MOST_FAILURES_SHOWN} more: {all_of_them}")


def _size(count: int) -> str:
    for unit, bytes_a_unit in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= bytes_a_unit:
            return f"{count / bytes_a_unit:,.1f} {unit}"
    return f"{count} bytes"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
