"""The cells of the table, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from benchmarks.conformance.features import Exchange, Feature, NotOffered, Surface
from benchmarks.conformance.outcome import Outcome, ask

NOT_FAKED = NotOffered("not faked by this server")


class Mark(StrEnum):
    """What a cell shows."""

    YES = "yes"
    NO = "no"
    NOT_OFFERED = "–"


@dataclass(frozen=True)
class Cell:
    """One feature of one surface. ``why`` explains a no and what is not offered; ``came`` is what came of the call."""

    server: str
    surface: str
    feature: Feature
    mark: Mark
    why: str = ""
    came: str = ""
    seconds: float = 0.0


def cells_of(server: str, surface: Surface, *, asking: Callable[[Surface, Exchange], Outcome] = ask) -> Iterable[Cell]:
    """Every feature of a surface, one after another; what fails does not keep the rest from being asked."""
    for feature in Feature:
        asked = surface.asked.get(feature, NOT_FAKED)
        if isinstance(asked, NotOffered):
            yield Cell(server, surface.title, feature, Mark.NOT_OFFERED, asked.why)
            continue
        outcome = asking(surface, asked)
        wrong = asked.judge(outcome)
        if outcome.unexpected is not None:
            wrong = f"an untyped {outcome.shown}"
        mark = Mark.NO if wrong else Mark.YES
        yield Cell(server, surface.title, feature, mark, wrong, outcome.shown, outcome.seconds)


def exit_status(cells: Sequence[Cell], not_run: Iterable[str] = ()) -> int:
    """1 where something fails that a server offers, 2 where a server could not be asked, else 0."""
    if any(cell.mark is Mark.NO for cell in cells):
        return 1
    return 2 if list(not_run) or not cells else 0


def to_markdown(cells: Sequence[Cell]) -> str:
    """One table a server, features by surfaces; below it what failed and why, and what is not offered and why."""
    lines: list[str] = []
    for server in dict.fromkeys(cell.server for cell in cells):
        own = [cell for cell in cells if cell.server == server]
        titles = list(dict.fromkeys(cell.surface for cell in own))
        by_place = {(cell.feature, cell.surface): cell for cell in own}
        lines += [f"| {server} | " + " | ".join(titles) + " |", "|---|" + "---|" * len(titles)]
        for feature in Feature:
            marks = [by_place[feature, title].mark.value if (feature, title) in by_place else "" for title in titles]
            if any(mark not in ("", Mark.NOT_OFFERED) for mark in marks):
                lines.append(f"| {feature.value} | " + " | ".join(marks) + " |")
        lines += ["", f"{sum(cell.mark is Mark.YES for cell in own)} of {_offered(own)} offered"]
        lines += [f"- no: {cell.surface}, {cell.feature.value}: {cell.why}" for cell in own if cell.mark is Mark.NO]
        lines += [f"- not offered: {text}" for text in _not_offered(own)]
        lines.append("")
    return "\n".join(lines)


def to_json(cells: Sequence[Cell]) -> dict[str, Any]:
    """Every cell, by server (without its version), surface and feature, with counts a server."""
    found: dict[str, Any] = {}
    for cell in cells:
        name, _, version = cell.server.partition(" ")
        server = found.setdefault(name, {"version": version, "yes": 0, "offered": 0, "surfaces": {}})
        server["yes"] += cell.mark is Mark.YES
        server["offered"] += cell.mark is not Mark.NOT_OFFERED
        server["surfaces"].setdefault(cell.surface, {})[cell.feature.value] = {
            "mark": cell.mark.name.lower(),
            "why": cell.why,
            "came": cell.came,
            "seconds": round(cell.seconds, 3),
        }
    return found


def _offered(cells: Iterable[Cell]) -> int:
    return sum(cell.mark is not Mark.NOT_OFFERED for cell in cells)


def _not_offered(cells: Iterable[Cell]) -> Iterable[str]:
    """The same feature for the same reason in one line."""
    groups: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        if cell.mark is Mark.NOT_OFFERED:
            groups.setdefault((cell.feature.value, cell.why), []).append(cell.surface)
    for (feature, why), surfaces in groups.items():
        yield f"{feature} ({', '.join(surfaces)}): {why}"
