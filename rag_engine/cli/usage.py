"""The command ``rag usage``."""

from __future__ import annotations

from typing import Annotated

import typer

from rag_engine.cli.json_output import print_json
from rag_engine.cli.options import Config, Debug, IndexName, Json, Root, index_folder, settings_from
from rag_engine.cli.terminal import console
from rag_engine.errors import UsageError

_BY = ("day", "model", "call")


def usage(
    by: Annotated[str, typer.Option("--by", help="day, model or call.", metavar="WHAT")] = "day",
    last: Annotated[int, typer.Option("--last", "-n", help="Rows, the latest first.", min=1)] = 30,
    index: IndexName = None,
    root: Root = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what the questions of an index cost: calls of language models, their tokens and dollars.

    Every attempt is counted, failed ones too. Days are those of UTC.

    **Examples:**  rag usage  ·  rag usage --by model
    """
    from rag_engine.engine import Engine

    if by not in _BY:
        raise UsageError(f"usage is summed by {', '.join(_BY)}, not by {by!r}", hint="rag usage --by model")
    settings = settings_from(config, root=root)
    with Engine.open(index_folder(settings, index), settings=settings, create=False) as engine:
        totals = engine.usage(by=by, last=last)
    if as_json:
        print_json({"by": by, "totals": totals})
        return
    out = console()
    if not totals:
        out.print("no language model was called")
        return
    from rich.table import Table

    table = Table(by, "calls", "attempts", "failed", "input tokens", "output tokens", "cost $", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for total in totals:
        cost = f"{total.cost:.4f}" + (f" + {total.unpriced} without a price" if total.unpriced else "")
        table.add_row(
            total.key, f"{total.calls:,}", f"{total.attempts:,}", f"{total.failed:,}", f"{total.input_tokens:,}",
            f"{total.output_tokens:,}", cost,
        )  # fmt: skip
    out.print(table)
