"""Recall against tokens read as a picture: one panel a mode, one line a chunker; SVG 1.1, written by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 620, 460  # of a panel
LEFT, TOP, RIGHT, BOTTOM = 60, 40, 20, 55
LEGEND = 190
COLOURS = ("#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
OURS = "#d62728"
DASHES = ("", "6 3", "2 3", "8 3 2 3", "12 4", "1 2", "12 3 2 3 2 3")  # tell the sizes of one family apart


class Line(NamedTuple):
    """A chunker's points (tokens read, recall), ascending."""

    name: str
    points: Sequence[tuple[float, float]]


def draw(panels: Mapping[str, Sequence[Line]]) -> str:
    """The picture; the abscissa is logarithmic, since reading twice as much is what a step means."""
    names = list(dict.fromkeys(line.name for lines in panels.values() for line in lines))
    styles = _styles(names)
    width, height = WIDTH * len(panels) + LEGEND, max(HEIGHT, TOP + 18 * len(names) + 20)
    body = [
        part
        for number, (title, lines) in enumerate(panels.items())
        for part in _panel(title, lines, styles, number * WIDTH)
    ]
    for row, name in enumerate(names):
        x, y = WIDTH * len(panels), TOP + 18 * row
        body.append(f'<path d="M{x} {y}h30" {styles[name]}/>')
        body.append(f'<text x="{x + 38}" y="{y + 4}">{escape(name)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _panel(title: str, lines: Sequence[Line], styles: Mapping[str, str], offset: int) -> Iterator[str]:
    points = [point for line in lines for point in line.points if point[0] > 0]
    if not points:
        return
    least, most = math.log2(min(x for x, _ in points)), math.log2(max(x for x, _ in points))
    lowest = math.floor(min(y for _, y in points) * 10) / 10
    left, right = offset + LEFT, offset + WIDTH - RIGHT
    bottom = HEIGHT - BOTTOM

    def across(tokens: float) -> float:
        return left + (math.log2(tokens) - least) / max(most - least, 1e-9) * (right - left)

    def down(recall: float) -> float:
        return bottom - (recall - lowest) / max(1 - lowest, 1e-9) * (bottom - TOP)

    yield f'<text x="{(left + right) / 2}" y="{TOP - 16}" text-anchor="middle" font-size="14">{escape(title)}</text>'
    for power in range(math.ceil(least), math.floor(most) + 1):
        x = across(2**power)
        yield f'<path d="M{x:.1f} {TOP}V{bottom + 5}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{2**power}</text>'
    for tenth in range(round(lowest * 10), 11):
        y = down(tenth / 10)
        yield f'<path d="M{left - 5} {y:.1f}H{right}" stroke="#ddd"/>'
        yield f'<text x="{left - 9}" y="{y + 4:.1f}" text-anchor="end">{tenth / 10:.1f}</text>'
    yield f'<path d="M{left} {TOP}V{bottom}H{right}" fill="none" stroke="black"/>'
    yield f'<text x="{(left + right) / 2}" y="{bottom + 40}" text-anchor="middle">tokens read (log scale)</text>'
    middle = (TOP + bottom) / 2
    yield (
        f'<text x="{offset + 18}" y="{middle}" text-anchor="middle" '
        f'transform="rotate(-90 {offset + 18} {middle})">recall</text>'
    )
    for line in reversed(lines):  # the first lies on top
        path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in line.points if x > 0)
        yield f'<polyline points="{path}" {styles[line.name]}/>'


def _styles(names: Sequence[str]) -> dict[str, str]:
    families = list(dict.fromkeys(_family(name) for name in names if not name.startswith("rag_engine")))
    seen: dict[str, int] = {}
    styles = {}
    for name in names:
        ours = name.startswith("rag_engine")
        family = _family(name)
        dash = DASHES[seen.setdefault(family, 0) % len(DASHES)]
        seen[family] += 1
        colour = OURS if ours else COLOURS[families.index(family) % len(COLOURS)]
        stroke = f'fill="none" stroke="{colour}" stroke-width="{2.5 if ours else 1.3}"'
        styles[name] = stroke + (f' stroke-dasharray="{dash}"' if dash else "")
    return styles


def _family(name: str) -> str:
    return name.partition("-")[0]
