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
    first: int
    last: int
    start: int
    end: int
    level: int
    has_body: bool


def group_sections(units: Sequence[Unit], positions: TokenPositions, capacity: float) -> Iterator[tuple[int, int]]:
    """Ranges [first, last) of units that are cut together: a section, or small ones with their neighbours.

    A small section joins those that follow under the same parent while they fit ``capacity`` together. Headings
    without a body join whatever follows them.
    """
    sections = _sections(units)
    group = next(sections, None)
    if group is None:
        return
    latest, floor, body = group, group.level, group.has_body
    for section in sections:
        fits = positions.size(group.start, section.end) <= capacity
        small = positions.size(latest.start, latest.end) < _SMALL * capacity
        if (fits and small and section.level >= floor) or (not body and (fits or section.has_body)):
            group = group._replace(last=section.last, end=section.end)
            body = body or section.has_body
            floor = min(floor, section.level)
        else:
            yield group.first, group.last
            group, floor, body = section, section.level, section.has_body
        latest = section
    yield group.first, group.last


def _sections(units: Sequence[Unit]) -> Iterator[_Section]:
    opens = [0, *(n for n, unit in enumerate(units) if n and unit.kind is BlockKind.HEADING), len(units)]
    for first, last in pairwise(opens):
        if first == last:
            continue
        heading = units[first].headings[-1:]
        has_body = any(unit.kind is not BlockKind.HEADING for unit in units[first:last])
        level = heading[0].level if heading else 0
        yield _Section(first, last, units[first].start, units[last - 1].end, level, has_body)
