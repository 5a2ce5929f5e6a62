"""What ``rag calibrate`` and ``rag gold make`` print without --json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from rag_engine.cli.terminal import console

if TYPE_CHECKING:
    from rag_engine.evaluation.calibration_report import CalibrationReport
    from rag_engine.types.evaluation import MadeGoldSet


def show_calibration(report: CalibrationReport) -> None:
    """What was fitted, how it does on what was held out, and what each threshold would do."""
    out = console()
    asked = report.fitted + report.held_out
    out.print(
        Text(
            f"{report.index}: {asked:,} questions ({report.source}), {report.answerable:,} of them with an answer; "
            f"{report.held_out:,} held out; commit {report.commit}"
        )
    )
    table = Table(title="on the questions held out", title_justify="left")
    table.add_column("measure")
    table.add_column("before", justify="right")
    table.add_column("after", justify="right")
    before, after = report.before, report.after
    table.add_row(
        "expected calibration error",
        f"{before.expected_calibration_error:.3f}",
        f"{after.expected_calibration_error:.3f}",
    )
    table.add_row("Brier score", f"{before.brier:.3f}", f"{after.brier:.3f}")
    table.add_row("AUROC", *(("-", "-") if after.auroc is None else (f"{before.auroc:.3f}", f"{after.auroc:.3f}")))
    out.print(table)
    curve = Table(title="answering only from a threshold on", title_justify="left")
    for column in ("threshold", "answered", "wrong"):
        curve.add_column(column, justify="right")
    for point in report.curve:
        curve.add_row(f"{point.threshold:.3f}", f"{point.coverage:.0%}", f"{point.risk:.1%}")
    out.print(curve)
    if report.threshold is not None:
        out.print(
            Text(
                f"threshold {report.threshold:.3f}: {report.answered:,} of {asked:,} answered, at most "
                f"{report.risk_bound:.1%} of them wrong with {report.certainty:.0%} certainty, on questions like these"
            )
        )
    out.print(Text(f"stored; {report.seconds:.1f} s", style="dim"))


def show_reset(removed: bool) -> None:
    """Whether there was a calibration to remove."""
    console().print("the calibration was removed" if removed else "there was no calibration")


def show_made_gold_set(made: MadeGoldSet) -> None:
    """What was written, and what to do with it."""
    out = console()
    out.print(
        Text(
            f"{made.folder}: {made.questions:,} questions, {made.answerable:,} of them with an answer, "
            f"about {made.documents:,} documents"
        )
    )
    out.print(Text("made by a program: README.md in the folder says what to correct"))
