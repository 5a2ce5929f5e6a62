"""An evaluation as one HTML file: tables, charts and losses, without a network, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag_engine.evaluation.charts import Line, difference_bars, line_chart
from rag_engine.evaluation.comparison import BaselineComparison, MeasureComparison
from rag_engine.evaluation.curves import answered_share, risk_coverage
from rag_engine.evaluation.losses import Loss
from rag_engine.evaluation.markup import escaped
from rag_engine.evaluation.report import EvaluationReport
from rag_engine.evaluation.significance import LEVEL

_STYLE = """
:root { color-scheme: light dark; --page: #fff; --text: #1c2127; --faint: #667; --line: #d5d9df;
  --now: #1663c7; --before: #b0640c; --loss: #c2321f; --gain: #187a4a; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --text: #e4e7eb; --faint: #99a3af; --line: #353b43;
  --now: #6cb0ff; --before: #f0aa55; --loss: #ff8676; --gain: #63d09a; } }
body { background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 68rem; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .7rem; text-align: left; vertical-align: top; }
td.figure, th.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.worse { color: var(--loss); font-weight: 600; } .better { color: var(--gain); font-weight: 600; }
.faint, figure p { color: var(--faint); }
figure { display: inline-block; margin: 0 1rem 1rem 0; width: 30rem; max-width: 100%; vertical-align: top; }
figcaption { font-weight: 600; } figure p { margin: 0; }
svg { width: 100%; height: auto; } svg text { fill: var(--text); font-size: 12px; }
svg .tick { fill: var(--faint); font-size: 11px; } svg .grid { stroke: var(--line); }
svg .axis { stroke: var(--faint); }
svg polyline { fill: none; stroke-width: 2; } svg .now { stroke: var(--now); } svg .before { stroke: var(--before); }
svg .before, .key.before::before { stroke-dasharray: 6 4; } svg .mark { stroke: var(--faint); stroke-dasharray: 2 3; }
svg .loss { fill: var(--loss); } svg .gain { fill: var(--gain); }
.key { margin-right: 1rem; } .key.now::before, .key.before::before { content: "\\2014\\00a0"; font-weight: 700; }
.key.now::before { color: var(--now); } .key.before::before { color: var(--before); }
td { overflow-wrap: anywhere; } ul { margin: 0; padding-left: 1.1rem; }
"""

_COMPARISON_HEADS = (
    "measure",
    "baseline",
    "now",
    "difference",
    "95 % interval",
    "p",
    "p (Holm)",
    "smallest effect",
    "better",
    "worse",
)


def html_report(report: EvaluationReport) -> str:
    """The whole page. Whatever a gold set holds is shown as text."""
    title = f"{report.gold}, {report.mode.value}"
    asked = f"{report.queries:,} question{'' if report.queries == 1 else 's'}, {report.seconds:.1f} s"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escaped(title)}</title><style>{_STYLE}</style></head><body>",
            f'<h1>{escaped(title)}</h1><p class="faint">{escaped(asked)}</p>',
            *(_comparison(report.significance) if report.significance is not None else ()),
            *_charts(report),
            *(_losses(report.significance.losses) if report.significance is not None else ()),
            *_measures(report),
            "</body></html>\n",
        ]
    )


def _comparison(comparison: BaselineComparison) -> Iterator[str]:
    yield f"<h2>Against {escaped(comparison.baseline)}</h2>"
    verdicts = [
        f'<span class="{kind}">significantly {kind}: {escaped(", ".join(names))}</span>'
        for kind, names in (("worse", comparison.worse), ("better", comparison.better))
        if names
    ]
    yield f"<p>{'; '.join(verdicts) or 'nothing is significantly worse or better'}</p>"
    yield _table(_COMPARISON_HEADS, [_comparison_row(compared) for compared in comparison.metrics])
    yield (
        f'<p class="faint">Two-sided paired randomisation tests; after Holm\'s correction over the '
        f"{len(comparison.metrics)} measures, p below {LEVEL:g} is significant. The smallest effect is the true loss "
        "that this comparison would find in four cases of five.</p>"
    )


def _comparison_row(compared: MeasureComparison) -> list[str]:
    kind = "worse" if compared.worse else "better" if compared.better else ""
    low, high = compared.interval
    smallest = compared.smallest_effect
    return [
        f'<span class="{kind}">{escaped(compared.metric)}</span>',
        _figure(f"{compared.baseline:.4f}"),
        _figure(f"{compared.value:.4f}"),
        _figure(f"{compared.difference:+.4f}"),
        _figure(f"{low:+.4f} to {high:+.4f}"),
        _figure(f"{compared.p_value:.4f}"),
        _figure(f"{compared.p_holm:.4f}"),
        escaped(compared.note) if smallest is None else _figure(f"{smallest:.4f}"),
        _figure(str(compared.queries_better)),
        _figure(f"{compared.queries_worse} of {compared.queries}"),
    ]


def _charts(report: EvaluationReport) -> Iterator[str]:
    comparison = report.significance
    charts = []
    if report.precision_recall:
        lines = [Line("now", "now", report.precision_recall)]
        if comparison is not None and comparison.precision_recall:
            lines.insert(0, Line("baseline", "before", comparison.precision_recall))
        charts.append(line_chart("Interpolated precision and recall", lines, x="recall", y="precision"))
    if comparison is not None:
        for compared in comparison.metrics:
            differences = list(comparison.differences[compared.metric].values())
            charts.append(difference_bars(f"Difference in {compared.metric}", differences, y="now less baseline"))
    risks = risk_coverage(report.per_query)
    if risks:
        lines = [Line("now", "now", risks)]
        if comparison is not None and comparison.risk_coverage:
            lines.insert(0, Line("baseline", "before", comparison.risk_coverage))
        mark = (answered_share(report.per_query), "abstains from here on")
        x = "share of questions, the surest first"
        charts.append(line_chart("Risk and coverage", lines, x=x, y="share not right", mark=mark))
    if charts:
        yield "<h2>Charts</h2>"
        yield from charts


def _losses(losses: Sequence[Loss]) -> Iterator[str]:
    yield "<h2>What lost most</h2>"
    if not losses:
        yield "<p>No question scores less than before.</p>"
        return
    rows = []
    for loss in losses:
        changes = "<br>".join(
            f"{escaped(change.metric)} {change.before:.3f}, now {change.now:.3f}" for change in loss.measures
        )
        reasons = "".join(f"<li>{escaped(reason)}</li>" for reason in loss.reasons)
        rows.append([escaped(loss.query), escaped(loss.question), changes, f"<ul>{reasons}</ul>"])
    yield _table(["id", "question", "measures", "why"], rows)


def _measures(report: EvaluationReport) -> Iterator[str]:
    yield "<h2>All measures</h2>"
    rows = [
        [escaped(name), _figure("-" if value is None else f"{value:.4f}")] for name, value in report.metrics.items()
    ]
    yield _table(["measure", "value"], rows)


class _Figure(str):
    """A cell that holds a number."""

    __slots__ = ()


def _figure(text: str) -> str:
    return _Figure(escaped(text))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """``rows`` hold HTML, ``heads`` text; a column stands to the right where its first cell is a number."""
    first = rows[0] if rows else heads
    head = "".join(_cell("th", escaped(name), below) for name, below in zip(heads, first, strict=True))
    body = "".join(f"<tr>{''.join(_cell('td', cell, cell) for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(tag: str, content: str, like: str) -> str:
    return f'<{tag} class="figure">{content}</{tag}>' if isinstance(like, _Figure) else f"<{tag}>{content}</{tag}>"
