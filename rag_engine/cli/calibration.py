"""The commands ``rag calibrate`` and ``rag gold``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rag_engine.cli.json_output import print_json
from rag_engine.cli.options import Config, Debug, IndexName, Json, Model, Root, index_folder, settings_from
from rag_engine.errors import UsageError

Seed = Annotated[int, typer.Option("--seed", help="Another seed asks other questions.", metavar="N")]

gold_app = typer.Typer(
    name="gold",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Make gold sets: questions whose answers are known.",
)


def calibrate(
    questions: Annotated[
        int | None, typer.Option("--questions", help="How many questions, at most.", metavar="N", show_default="600")
    ] = None,
    risk: Annotated[
        float | None,
        typer.Option(
            "--risk", help="Share of answers that may be wrong, such as 0.1.", metavar="R", show_default=False
        ),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option("--gold", help="Ask the questions of this gold set instead.", metavar="GOLD", show_default=False),
    ] = None,
    seed: Seed = 0,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the risk-coverage curve.", metavar="FILE.svg")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Remove the calibration.")] = False,
    index: IndexName = None,
    root: Root = None,
    model: Model = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Make confidences probabilities for the documents at hand, and choose a threshold for a risk.

    Questions are made of the documents themselves, some with what answers them withheld, and asked. No model writes
    them. What is found is stored with the index, and later answers follow it.

    **Examples:**  rag calibrate  ·  rag calibrate --risk 0.1 --plot risk.svg  ·  rag calibrate --gold gold/mine  ·
    rag calibrate --reset
    """
    from rag_engine.cli.calibration_output import show_calibration, show_reset
    from rag_engine.cli.progress import ProgressBar
    from rag_engine.engine import Engine

    if reset and (questions, risk, gold, plot) != (None, None, None, None):
        raise UsageError("--reset removes and makes nothing", hint="run rag calibrate --reset, then rag calibrate")
    settings = settings_from(config, root=root, model=model)
    with Engine.open(index_folder(settings, index), settings=settings, create=False) as engine:
        if reset:
            removed = engine.reset_calibration()
            print_json({"removed": removed}) if as_json else show_reset(removed)
            return
        with ProgressBar(quiet=as_json) as bar:
            report = engine.calibrate(questions=questions, risk=risk, seed=seed, gold=gold, progress=bar.questions)
    if plot is not None:
        from rag_engine.evaluation import write_risk_plot

        write_risk_plot(plot, report)
    if as_json:
        print_json(report.to_json())
    else:
        show_calibration(report)


@gold_app.command()
def make(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.", metavar="FOLDER", show_default=False)],
    questions: Annotated[
        int | None, typer.Option("--questions", help="How many questions, at most.", metavar="N", show_default="200")
    ] = None,
    seed: Seed = 0,
    index: IndexName = None,
    root: Root = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write questions made of the documents, for a person to correct and for rag eval to read.

    **Example:**  rag gold make --out gold/mine   then   rag eval gold/mine
    """
    from rag_engine.cli.calibration_output import show_made_gold_set
    from rag_engine.engine import Engine

    settings = settings_from(config, root=root)
    with Engine.open(index_folder(settings, index), settings=settings, create=False) as engine:
        made = engine.make_gold_set(out, questions=questions, seed=seed)
    if as_json:
        print_json(made)
    else:
        show_made_gold_set(made)
