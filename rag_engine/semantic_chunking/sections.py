"""Sections of a document, and which of them are too small to stand alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from rag_engine.semantic_chunking.structure import Unit
from rag_engine.semantic_chunking.token_positions import TokenPositions
from rag_engine.types.document import BlockKind

_SMALL = 1 / 8  # of the capacity


class _Section(NamedTuple):
    """Units [first, last) under one heading; ``level`` is that of the outermost heading in it, 0 without any."""

    first: int
    last: int
    start: int
    end: int
    level: int
    has_body: bool


def group_sections(units: Sequence[Unit], positions: TokenPositions, capacity: float) -> Iterator[tuple[int, int]]:
    """Ranges [first, last) of units that are cut together: a section, or small ones with those that follow.

    A small section, its subsections included, joins the next one under the same parent while all together fit
    ``capacity``. Headings without a body always join what follows them.
    """
    group: list[_Section] = []
    above: list[_Section] = []  # the latest section of the group and those that it lies in, outermost first
    for section in _with_bodies(_sections(units), positions, capacity):
        while above and above[-1].level > section.level:
            above.pop()
        if group and not (
            above
            and positions.size(above[-1].start, group[-1].end) < _SMALL * capacity
            and positions.size(group[0].start, section.end) <= capacity
        ):
            yield group[0].first, group[-1].last
            group, above = [], []
        if above and above[-1].level == section.level:
            above.pop()
        above.append(section)
        group.append(section)
    if group:
        yield group[0].first, group[-1].last


def _sections(units: Sequence[Unit]) -> Iterator[_Section]:
    opens = [n for n, unit in enumerate(units) if n == 0 or unit.headings != units[n - 1].headings]
    for first, last in pairwise([*opens, len(units)]):
        heading = units[first].headings[-1:]
        has_body = last - first > 1 or units[first].kind is not BlockKind.HEADING
        yield _Section(
            first, last, units[first].start, units[last - 1].end, heading[0].level if heading else 0, has_body
        )


def _with_bodies(sections: Iterator[_Section], positions: TokenPositions, capacity: float) -> Iterator[_Section]:
    """The sections, those that are a mere heading taken together with the next."""
    waiting: _Section | None = None
    for section in sections:
        if waiting is None:
            waiting = section
        elif section.has_body or positions.size(waiting.start, section.end) <= capacity:
            level = min(waiting.level, section.level)
            waiting = waiting._replace(last=section.last, end=section.end, level=level, has_body=section.has_body)
        else:
            yield waiting
            waiting = section
        if waiting.has_body:
            yield waiting
            waiting = None
    if waiting is not None:
        yield waiting
