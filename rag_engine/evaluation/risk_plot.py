"""Draws a risk-coverage curve as SVG: text, so that no library for pictures is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from rag_engine.errors import EvaluationError
from rag_engine.evaluation.calibration_measures import CoveragePoint
from rag_engine.evaluation.calibration_report import CalibrationReport

WIDTH, HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 50, 60
_TICKS = 5


def write_risk_plot(file: Path, report: CalibrationReport) -> None:
    """Writes the report's curve.

    Raises:
        EvaluationError: the file cannot be written.
    """
    title = f"{report.index}: {report.fitted + report.held_out:,} questions ({report.source})"
    try:
        file.write_text(plot_risk_coverage(report.curve, title=title, risk=report.risk), encoding="utf-8")
    except OSError as error:
        raise EvaluationError(f"{file} cannot be written: {error.strerror}", hint="choose another file") from error


def plot_risk_coverage(curve: Sequence[CoveragePoint], *, title: str, risk: float | None = None) -> str:
    """An SVG picture: coverage to the right, the share of wrong answers upwards, ``risk`` as a dashed line."""
    highest = max([point.risk for point in curve] + [risk or 0.0, 0.05]) * 1.1

    def across(coverage: float) -> float:
        return _LEFT + coverage * (WIDTH - _LEFT - _RIGHT)

    def up(share: float) -> float:
        return HEIGHT - _BOTTOM - share / highest * (HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="28" font-size="16">{escape(title)}</text>',
    ]
    for tick in range(_TICKS + 1):
        coverage, share = tick / _TICKS, highest * tick / _TICKS
        parts.append(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{up(share):.1f}" y2="{up(share):.1f}" stroke="#ddd"/>'
            f'<text x="{_LEFT - 8}" y="{up(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>'
            f'<text x="{across(coverage):.1f}" y="{HEIGHT - _BOTTOM + 20}" text-anchor="middle">{coverage:.0%}</text>'
        )
    parts.append(
        f'<text x="{across(0.5):.1f}" y="{HEIGHT - 16}" text-anchor="middle">questions answered</text>'
        f'<text transform="translate(18 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">answers that are wrong</text>'
    )
    if risk is not None:
        parts.append(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{up(risk):.1f}" y2="{up(risk):.1f}" stroke="#c33" '
            f'stroke-dasharray="6 4"/><text x="{WIDTH - _RIGHT}" y="{up(risk) - 6:.1f}" text-anchor="end" '
            f'fill="#c33">risk {risk:g}</text>'
        )
    places = " ".join(f"{across(point.coverage):.1f},{up(point.risk):.1f}" for point in curve)
    parts.append(f'<polyline points="{places}" fill="none" stroke="#247" stroke-width="2"/>')
    parts.extend(
        f'<circle cx="{across(point.coverage):.1f}" cy="{up(point.risk):.1f}" r="3.5" fill="#247">'
        f"<title>threshold {point.threshold:.3f}: {point.coverage:.0%} answered, {point.risk:.1%} wrong</title>"
        "</circle>"
        for point in curve
    )
    return "\n".join([*parts, "</svg>"]) + "\n"
