"""Quality against price as a picture: one panel for each assumption about prices; SVG 1.1, written by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

WIDTH, HEIGHT = 520, 400  # of a panel
LEFT, TOP, RIGHT, BOTTOM = 60, 40, 20, 55
LINES = (
    ("points", "rag_engine", "#d62728", ""),
    ("random_mix", "random mix of single models, in hindsight", "#1f77b4", "6 3"),
    ("oracle", "oracle", "#7f7f7f", "2 3"),
)


def draw(curves: Mapping[str, Mapping[str, Any]]) -> str:
    """The picture; prices are drawn logarithmically."""
    body = [part for number, (name, row) in enumerate(curves.items()) for part in _panel(name, row, number * WIDTH)]
    for place, (_, title, colour, dash) in enumerate(LINES):
        y = HEIGHT + 20 * place
        body.append(f'<path d="M60 {y}h30" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
        body.append(f'<text x="98" y="{y + 4}">{escape(title)}</text>')
    width, height = WIDTH * len(curves), HEIGHT + 20 * len(LINES)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _panel(name: str, row: Mapping[str, Any], offset: int) -> Iterator[str]:
    every = [point for key, *_ in LINES for point in row[key]]
    least, most = (math.log(bound(price for price, _ in every)) for bound in (min, max))
    low, high = (bound(score for _, score in every) for bound in (min, max))
    left, right, bottom = offset + LEFT, offset + WIDTH - RIGHT, HEIGHT - BOTTOM

    def place(price: float, score: float) -> str:
        x = left + (math.log(price) - least) / max(most - least, 1e-9) * (right - left)
        return f"{x:.1f},{bottom - (score - low) / max(high - low, 1e-9) * (bottom - TOP):.1f}"

    yield f'<text x="{(left + right) / 2}" y="{TOP - 16}" text-anchor="middle" font-size="14">{escape(name)}</text>'
    yield f'<path d="M{left} {TOP}V{bottom}H{right}" fill="none" stroke="black"/>'
    for score in (low, (low + high) / 2, high):
        y = place(math.exp(least), score).partition(",")[2]
        yield f'<text x="{left - 6}" y="{y}" text-anchor="end">{score:.2f}</text>'
    for power in (least, (least + most) / 2, most):
        x = place(math.exp(power), low).partition(",")[0]
        yield f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{math.exp(power):.3f}</text>'
    yield f'<text x="{(left + right) / 2}" y="{bottom + 38}" text-anchor="middle">US dollars a 1,000 questions</text>'
    for key, _, colour, dash in LINES:
        path = " ".join(place(price, score) for price, score in row[key])
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
