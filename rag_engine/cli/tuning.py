"""The command ``rag tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rag_engine.cli.json_output import print_json
from rag_engine.cli.options import Config, Debug, IndexName, Json, Model, Root, index_folder, settings_from
from rag_engine.cli.terminal import console
from rag_engine.errors import UsageError


def tune(
    gold: Annotated[Path | None, typer.Argument(help="A gold set in BEIR or span form.", show_default=False)] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Remove what was found earlier.")] = False,
    index: IndexName = None,
    root: Root = None,
    model: Model = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Fit the weight of the dense leg to questions whose documents are known.

    Every question is searched for with nine weights. What is best is stored with the index if fitting is better on
    questions left out too, by a paired test; else each question's weight stays told from its scores.

    **Examples:**  rag tune gold/mine  ·  rag tune --reset
    """
    from rag_engine.cli.progress import ProgressBar
    from rag_engine.engine import Engine

    if reset == (gold is not None):
        raise UsageError("rag tune takes a gold set, or --reset", hint="rag tune GOLD")
    settings = settings_from(config, root=root, model=model)
    with Engine.open(index_folder(settings, index), settings=settings, create=False) as engine:
        if gold is None:
            removed = engine.reset_tuning()
            said = "the tuning was removed" if removed else "there was no tuning"
            print_json({"removed": removed}) if as_json else console().print(said)
            return
        with ProgressBar(quiet=as_json) as bar:
            report = engine.tune(gold, progress=bar.questions)
    if as_json:
        print_json(report.to_json())
        return
    out = console()
    for offset, value in report.values.items():
        out.print(f"{offset:+5.1f}  nDCG@10 {value:.4f}{'  <- kept' if offset == report.offset else ''}")
    out.print(f"fitted on four fifths, it brings {report.gain:+.4f} on the others (p = {report.p_value:.4f})")
