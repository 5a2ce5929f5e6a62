"""The command ``rag route``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag_engine.cli.json_output import print_json
from rag_engine.cli.options import Config, Debug, IndexName, Json, Model, Root, index_folder, settings_from
from rag_engine.errors import UsageError

if TYPE_CHECKING:
    from rag_engine.types.routing import Candidate, RouteDecision


def route(
    question: Annotated[str, typer.Argument(help="Your question.", metavar="QUESTION", show_default=False)],
    name: Annotated[
        str | None,
        typer.Option(
            "--route", help="A route of the routes file.", metavar="NAME", show_default="the one that answers"
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show every deployment: its place, or the check that it does not pass.")
    ] = False,
    task: Annotated[
        str | None,
        typer.Option("--task", help="The kind of work.", metavar="TASK", show_default="told from the question"),
    ] = None,
    local_only: Annotated[
        bool, typer.Option("--local-only", help="Only models to which a prompt goes without leaving the machine.")
    ] = False,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Only models with this tag; may be repeated.", metavar="TAG")
    ] = None,
    index: IndexName = None,
    root: Root = None,
    model: Model = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say which language model would answer a question, and why. Nothing is sent.

    The prompt is the one that the question would get from the index; without an index, the question alone.

    **Examples:**  rag route "how long may a refund take?" --explain  ·  rag route "sum it up" --route cheap

    Exit status 1 if no model would answer.
    """
    from rag_engine.engine import decide
    from rag_engine.types.generation import Requirements
    from rag_engine.types.models import ModelTask

    if task is not None and task not in list(ModelTask):
        raise UsageError(f"{task!r} is no kind of work", hint=f"one of: {', '.join(ModelTask)}")
    settings = settings_from(config, root=root, model=model)
    requires = Requirements(
        task=None if task is None else ModelTask(task), tags=frozenset(tag or ()), local_only=local_only
    )
    decision = decide(index_folder(settings, index), question, settings=settings, route=name, requires=requires)
    if as_json:
        print_json(_fields(decision, explain))
    else:
        _show(decision, explain)
    if decision.chosen is None:
        raise typer.Exit(1)


def _fields(decision: RouteDecision, explain: bool) -> dict[str, Any]:
    chosen = decision.chosen
    fields: dict[str, Any] = {
        "route": decision.route,
        "strategy": decision.strategy,
        "task": decision.task,
        "input_tokens": decision.input_tokens,
        "chosen": None if chosen is None else chosen.deployment,
        "model": None if chosen is None else chosen.model,
    }
    return fields | {"candidates": decision.candidates} if explain else fields


def _show(decision: RouteDecision, explain: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from rag_engine.cli.terminal import console, in_one_line

    out = console()
    chosen = decision.chosen
    if chosen is None:
        out.print(Text("no model would answer", style="bold red"))
    else:
        of = "" if chosen.deployment == chosen.model else f" ({chosen.model})"
        out.print(Text.assemble((in_one_line(chosen.deployment), "bold cyan"), in_one_line(f"{of}: {chosen.reason}")))
    line = f"{decision.route}, {decision.strategy}; {decision.task}, about {decision.input_tokens:,} tokens to read"
    out.print(Text(in_one_line(line), style="dim"))
    if not explain and chosen is not None:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("", "deployment", "why", "$", "seconds", "quality"):
        table.add_column(title)
    for candidate in decision.candidates:
        table.add_row(
            "left" if candidate.place is None else str(candidate.place),
            Text(in_one_line(candidate.deployment), style="dim" if candidate.place is None else "cyan"),
            Text(in_one_line(_why(candidate))),
            "" if candidate.cost is None else f"{candidate.cost:.6f}",
            "" if candidate.seconds is None else f"{candidate.seconds:.2f}",
            _quality(candidate),
        )
    out.print(table)


def _why(candidate: Candidate) -> str:
    return candidate.reason if candidate.failed is None else f"{candidate.failed}: {candidate.reason}"


def _quality(candidate: Candidate) -> str:
    quality = candidate.quality
    if quality is None:
        return ""
    return f"{quality.mean:.2f}" + (f" ({quality.low:.2f} to {quality.high:.2f})" if quality.observations else "")
