"""``rag trace``: what the last operations did and how long each part of it took."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag_engine.cli.json_output import print_json
from rag_engine.cli.options import Config, Debug, IndexName, Json, Root, index_folder, settings_from
from rag_engine.errors import IndexNotFoundError, StorageError, UsageError

if TYPE_CHECKING:
    from rag_engine.tracing import PerformanceStats, TraceRecord

SHOWN = 3
SHORTEST_ID = 4


def trace(
    identifier: Annotated[
        str | None,
        typer.Argument(
            help="The field trace of an answer, or how it begins.", metavar="ID", show_default="the last ones"
        ),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option("--last", "-n", help="How many, at most.", min=1, metavar="N", show_default=f"{SHOWN}"),
    ] = None,
    slowest: Annotated[bool, typer.Option("--slowest", help="Those that took longest, of all that are kept.")] = False,
    failing: Annotated[bool, typer.Option("--failing", help="Only those in which anything failed.")] = False,
    operations: Annotated[
        bool, typer.Option("--operations", help="Figures of each operation over the traces, not the traces.")
    ] = False,
    index: IndexName = None,
    root: Root = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the last questions, searches and ingests as trees with times.

    Traces hold names, counts and times, not what was asked or found, unless tracing.content is on.

    **Examples:**  rag trace  ·  rag trace 4bf92f35  ·  rag trace --slowest -n 1  ·  rag trace --operations --failing
    """
    folder = index_folder(settings_from(config, root=root), index)
    kept = _kept(folder)
    if identifier is not None:
        kept = _found(kept, identifier)
    if operations:
        rows = _operations(kept if last is None else kept[-last:], slowest=slowest, failing=failing)
        if as_json:
            print_json({"index": folder.name, "operations": rows})
        else:
            from rag_engine.cli.trace_output import show_operations

            show_operations(rows)
        return
    chosen = [record for record in kept if record.failed] if failing else kept
    if slowest:
        chosen = sorted(chosen, key=lambda record: record.root.seconds)
    chosen = chosen[-(last or SHOWN) :][::-1] if slowest else chosen[-(last or SHOWN) :]
    if as_json:
        print_json({"index": folder.name, "traces": [_fields(record) for record in chosen]})
    else:
        from rag_engine.cli.trace_output import show_traces

        show_traces(chosen, kept=len(kept))


def _kept(folder: Path) -> list[TraceRecord]:
    """What is kept, whether or not the index itself can be opened."""
    from rag_engine.tracing import read_traces

    if not folder.is_dir():
        raise IndexNotFoundError(f"there is no index at {folder}")
    try:
        return read_traces(folder)
    except OSError as error:
        raise StorageError(f"the traces in {folder} cannot be read: {error.strerror}") from error


def _found(kept: Sequence[TraceRecord], identifier: str) -> list[TraceRecord]:
    wanted = identifier.lower()
    if len(wanted) < SHORTEST_ID or wanted.strip("0123456789abcdef"):
        raise UsageError(
            f"{identifier!r} is no id of a trace", hint=f"give at least {SHORTEST_ID} of its hexadecimal digits"
        )
    found = [record for record in kept if record.trace.startswith(wanted)]
    if not found:
        raise UsageError(
            f"no trace {identifier} is kept with this index", hint="see rag trace --last 20, and tracing.keep"
        )
    return found


def _operations(kept: Sequence[TraceRecord], *, slowest: bool, failing: bool) -> list[PerformanceStats]:
    """Those that failed only, the slowest on average first, or all by what they took in all."""
    from rag_engine.tracing import performance_of

    tracer = performance_of(run for record in kept for run in record.runs())
    rows = tracer.failing() if failing else tracer.report()
    return sorted(rows, key=lambda row: -row.mean) if slowest else rows


def _fields(record: TraceRecord) -> dict[str, Any]:
    return {"trace": record.trace, "at": record.at, "failed": record.failed, "root": record.root}
