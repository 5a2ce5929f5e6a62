"""What ``rag eval`` prints without --json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from rag_engine.cli.terminal import console, in_one_line

if TYPE_CHECKING:
    from rich.console import Console

    from rag_engine.evaluation import BaselineComparison, EvaluationReport, MeasureComparison

MOST_LOSSES_SHOWN = 5


def show_evaluation(report: EvaluationReport) -> None:
    """The measures of a gold set and, where there is a baseline, what became of each since."""
    out = console()
    table = Table(title=f"{report.gold}, {report.mode.value}, {report.queries:,} questions", title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, value in report.metrics.items():
        table.add_row(name, "-" if value is None else f"{value:.4f}")
    out.print(table)
    if report.significance is not None:
        _show_comparison(out, report.significance)
    if report.learned is not None:
        counts = ", ".join(f"{count:,} of {name}" for name, count in report.learned.items()) or "none"
        out.print(f"experiences remembered: {counts}")
    out.print(Text(f"{report.seconds:.1f} s", style="dim"))


def _show_comparison(out: Console, comparison: BaselineComparison) -> None:
    out.print(Text(f"against {in_one_line(comparison.baseline)}:", style="bold"))
    for compared in comparison.metrics:
        out.print(_comparison_line(compared))
    for loss in comparison.losses[:MOST_LOSSES_SHOWN]:
        changes = ", ".join(f"{change.metric} {change.before:.2f} to {change.now:.2f}" for change in loss.measures)
        out.print(Text(f"  {in_one_line(loss.query)} ({changes}): {in_one_line(loss.question)}"))
        for reason in loss.reasons:
            out.print(Text(f"    {in_one_line(reason)}", style="dim"))


def _comparison_line(compared: MeasureComparison) -> Text:
    low, high = compared.interval
    line = Text(f"  {compared.metric}: {compared.difference:+.4f} ")
    line.append(
        f"(95 % interval {low:+.4f} to {high:+.4f}, p = {compared.p_value:.4f}, Holm {compared.p_holm:.4f}; "
        f"{compared.queries_better} better, {compared.queries_worse} worse of {compared.queries}; "
    )
    smallest = compared.smallest_effect
    line.append(f"{compared.note})" if smallest is None else f"smallest effect {smallest:.4f})")
    if compared.worse or compared.better:
        line.append(*((" worse", "bold red") if compared.worse else (" better", "bold green")))
    return line
