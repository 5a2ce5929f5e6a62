"""Charts as SVG, drawn with the page's own colours: classes ``now`` and ``before`` for lines, ``gain`` and ``loss``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag_engine.evaluation.curves import Curve
from rag_engine.evaluation.markup import escaped

_WIDTH, _HEIGHT = 460, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 14, 44
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Line:
    """A curve with its name and its class, ``now`` or ``before``."""

    name: str
    kind: str
    points: Curve


def line_chart(title: str, lines: Sequence[Line], *, x: str, y: str, mark: tuple[float, str] | None = None) -> str:
    """Curves over the unit square. ``mark`` is a vertical line at an x, and what it means."""
    parts = []
    for tick in _TICKS:
        parts.append(_rule(_y(tick)))
        parts.append(_text("tick", _LEFT - 6, _y(tick) + 4, f"{tick:g}", anchor="end"))
        parts.append(_text("tick", _x(tick), _y(0) + 16, f"{tick:g}"))
    parts += _axes(x, y)
    for line in lines:
        path = " ".join(f"{_x(across):.1f},{_y(up):.1f}" for across, up in line.points)
        parts.append(f'<polyline class="{line.kind}" points="{path}"/>')
    if mark is not None:
        at, meaning = mark
        parts.append(f'<line class="mark" x1="{_x(at):.1f}" x2="{_x(at):.1f}" y1="{_TOP}" y2="{_y(0):.1f}"/>')
        anchor, shift = ("end", -5) if at > 0.5 else ("start", 5)
        parts.append(_text("tick", _x(at) + shift, _TOP + 12, meaning, anchor=anchor))
    legend = "".join(f'<span class="key {line.kind}">{escaped(line.name)}</span>' for line in lines)
    return _figure(title, parts, legend)


def difference_bars(title: str, differences: Sequence[float], *, y: str) -> str:
    """A bar for each question, from the largest loss to the largest gain; values in [-1, 1]."""
    ordered = sorted(differences)
    reach = max((abs(value) for value in ordered), default=0.0) or 1.0
    step = (_WIDTH - _LEFT - _RIGHT) / max(1, len(ordered))
    parts = []
    for tick in (-reach, 0.0, reach):
        at = _y((tick / reach + 1) / 2)
        parts.append(_rule(at))
        parts.append(_text("tick", _LEFT - 6, at + 4, f"{tick:+.2g}" if tick else "0", anchor="end"))
    parts += _axes("questions, from the largest loss to the largest gain", y)
    for kind, sign in (("loss", -1), ("gain", 1)):
        # One path for all bars of a kind: a chart of thousands of questions stays small.
        bars = "".join(
            f"M{_LEFT + step * place:.2f},{_y(0.5):.1f}V{_y((value / reach + 1) / 2):.1f}h{step:.2f}V{_y(0.5):.1f}z"
            for place, value in enumerate(ordered)
            if value * sign > 0
        )
        if bars:
            parts.append(f'<path class="{kind}" d="{bars}"/>')
    worse, better = sum(value < 0 for value in ordered), sum(value > 0 for value in ordered)
    legend = f"{worse} worse, {better} better, {len(ordered) - worse - better} equal"
    return _figure(title, parts, f'<span class="key">{escaped(legend)}</span>')


def _axes(x: str, y: str) -> Iterator[str]:
    yield f'<line class="axis" x1="{_LEFT}" x2="{_LEFT}" y1="{_TOP}" y2="{_y(0):.1f}"/>'
    yield f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_y(0):.1f}" y2="{_y(0):.1f}"/>'
    yield _text("label", _x(0.5), _HEIGHT - 8, x)
    yield f'<g transform="rotate(-90 14 {_y(0.5):.1f})">{_text("label", 14, _y(0.5), y)}</g>'


def _rule(at: float) -> str:
    return f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'


def _text(kind: str, x: float, y: float, text: str, *, anchor: str = "middle") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escaped(text)}</text>'


def _figure(title: str, parts: Sequence[str], legend: str) -> str:
    drawn = "\n".join(parts)
    return (
        f'<figure><figcaption>{escaped(title)}</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
        f"<title>{escaped(title)}</title>\n{drawn}\n</svg><p>{legend}</p></figure>"
    )


def _x(value: float) -> float:
    return _LEFT + value * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float) -> float:
    return _HEIGHT - _BOTTOM - value * (_HEIGHT - _TOP - _BOTTOM)
