"""What all rounds came to: medians with their spread, ratios taken within each round, and a Markdown table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.peers.catalogue import OURS, Contender, Regime
from benchmarks.peers.measurement import Measurement


@dataclass(frozen=True, slots=True)
class Figure:
    """A column: its name in the measurements, its heading, its digits, and whether more is better, less, or neither."""

    name: str
    heading: str
    digits: int
    better: str = ""


FIGURES = (
    Figure("documents_per_second", "ingest, documents/s", 1, "more"),
    Figure("documents_per_second_of_process", "the same with imports and model load", 1, "more"),
    Figure("texts", "vectors", 0),
    Figure("dense_p50_milliseconds", "dense p50, ms", 1, "less"),
    Figure("dense_p95_milliseconds", "dense p95, ms", 1, "less"),
    Figure("hybrid_p50_milliseconds", "hybrid p50, ms", 1, "less"),
    Figure("hybrid_p95_milliseconds", "hybrid p95, ms", 1, "less"),
    Figure("dense_nDCG@10", "dense nDCG@10", 3),
    Figure("hybrid_nDCG@10", "hybrid nDCG@10", 3),
    Figure("cold_seconds", "cold start to first answer, s", 2, "less"),
    Figure("peak_megabytes", "peak memory of ingest, MB", 0, "less"),
    Figure("disk_megabytes", "on disk, MB", 1, "less"),
    Figure("import_seconds", "import, s", 2, "less"),
    Figure("unchanged_seconds", "unchanged re-ingest, s", 1, "less"),
    Figure("unchanged_embedded", "embedded again", 0),
    Figure("changed_seconds", "1 % edited, s", 1, "less"),
    Figure("changed_embedded", "embedded again", 0),
)
# What the issue asks of the fastest, smallest or lightest peer: these figures.
AGAINST_BEST = {
    "ingest": "documents_per_second",
    "ingest_with_load": "documents_per_second_of_process",
    "dense": "dense_p50_milliseconds",
    "hybrid": "hybrid_p50_milliseconds",
    "cold": "cold_seconds",
    "memory": "peak_megabytes",
    "disk": "disk_megabytes",
}


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the rounds, and how many times better ours was (None for ours, and where nothing is better)."""

    median: float
    least: float
    most: float
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """A contender over all its rounds."""

    contender: Contender
    version: str
    rounds: int
    figures: dict[str, Spread]
    errors: dict[str, str]

    @property
    def title(self) -> str:
        """The peer with its version."""
        return f"{self.contender.peer.title} {self.version}".strip()


def rows(contenders: Sequence[Contender], measurements: Sequence[Measurement]) -> list[Row]:
    """A row for each contender, in their order."""
    ours = {taken.round: taken.figures for taken in measurements if taken.contender.partition("-")[0] == OURS}
    return [_row(one, [taken for taken in measurements if taken.contender == one.name], ours) for one in contenders]


def _row(contender: Contender, taken: Sequence[Measurement], ours: dict[int, dict[str, float]]) -> Row:
    figures = {}
    for figure in FIGURES:
        by_round = {one.round: one.figures[figure.name] for one in taken if figure.name in one.figures}
        if by_round:
            values = list(by_round.values())
            ratios = [] if contender.peer.name == OURS else _ratios(figure, by_round, ours)
            ratio = statistics.median(ratios) if ratios else None
            figures[figure.name] = Spread(statistics.median(values), min(values), max(values), ratio)
    errors = {step: error for one in taken for step, error in one.errors.items()}
    return Row(contender, taken[-1].version if taken else "", len(taken), figures, errors)


def _ratios(figure: Figure, by_round: dict[int, float], ours: dict[int, dict[str, float]]) -> list[float]:
    """How many times better ours was in each round: rounds differ by what else the machine does, not within."""
    pairs = [
        (value, ours[number][figure.name]) for number, value in by_round.items() if figure.name in ours.get(number, {})
    ]
    if figure.better == "more":
        return [own / value for value, own in pairs if value > 0]
    if figure.better == "less":
        return [value / own for value, own in pairs if own > 0]
    return []


def against_best(table: Sequence[Row]) -> dict[str, dict[str, float]]:
    """By regime, how many times better ours was than the best peer in it, for the figures of AGAINST_BEST."""
    summary: dict[str, dict[str, float]] = {}
    for regime in Regime:
        peers = [row for row in table if row.contender.regime is regime and row.contender.peer.name != OURS]
        for name, figure in AGAINST_BEST.items():
            ratios = [row.figures[figure].ratio for row in peers if figure in row.figures]
            known = [ratio for ratio in ratios if ratio is not None]
            if known:
                summary.setdefault(regime.value, {})[name] = round(min(known), 3)
    return summary


def to_json(table: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows as they are kept."""
    return [
        {
            "peer": row.contender.peer.name,
            "title": row.title,
            "regime": row.contender.regime.value,
            "rounds": row.rounds,
            "errors": row.errors,
            "figures": {
                name: {"median": spread.median, "min": spread.least, "max": spread.most, "ratio": spread.ratio}
                for name, spread in row.figures.items()
            },
        }
        for row in table
    ]


def to_markdown(table: Sequence[Row]) -> str:
    """One table; below it what failed."""
    headings = ["peer", "regime", *(figure.heading for figure in FIGURES)]
    lines = [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]
    for row in table:
        cells = [_cell(figure, row.figures.get(figure.name)) for figure in FIGURES]
        lines.append(f"| {' | '.join([row.title, row.contender.regime, *cells])} |")
    failed = [f"- {row.contender.name}, {step}: {error}" for row in table for step, error in row.errors.items()]
    return "\n".join([*lines, *(["", "Failed:", "", *failed] if failed else [])]) + "\n"


def _cell(figure: Figure, spread: Spread | None) -> str:
    if spread is None:
        return "-"
    cell = f"{spread.median:.{figure.digits}f}"
    least, most = f"{spread.least:.{figure.digits}f}", f"{spread.most:.{figure.digits}f}"
    if least != most:
        cell += f" ({least} to {most})"
    return cell if spread.ratio is None else f"{cell}, {spread.ratio:.2g}×"
