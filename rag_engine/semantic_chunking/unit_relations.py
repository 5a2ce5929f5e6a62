"""What ties units to their neighbours: turns that run over several, pages, and lines that introduce lists."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from rag_engine.semantic_chunking.transcripts import Turn, find_turns
from rag_engine.semantic_chunking.units import Unit
from rag_engine.types.document import BlockKind, Document, Page

_SPOKEN = frozenset({BlockKind.PARAGRAPH, BlockKind.LIST})
_ENDS_SENTENCE = re.compile(r"[.!?…:;。！？।؟۔][\"'”’»)\]*_]*\Z")
_INTRODUCES = re.compile(r"[:：][*_]*\Z")
_LOOK_BACK = 16  # characters at the end of a unit


def related(document: Document, units: Sequence[Unit]) -> list[Unit]:
    """The units, told what they share with their neighbours; time is linear in the text."""
    text = document.text
    turns = find_turns(text)
    opening = _openings(document.pages, units)
    known: list[Unit] = []
    before: Unit | None = None
    for number, unit in enumerate(units):
        spoken = _turns_of(unit, turns) if turns and unit.kind in _SPOKEN else ()
        opens_page = number in opening
        goes_on = before is not None and _goes_on(text, before, unit, opens_page=opens_page)
        told = spoken or opens_page or goes_on
        known.append(replace(unit, turns=spoken, opens_page=opens_page, goes_on=goes_on) if told else unit)
        before = unit
    return known


def _openings(pages: Sequence[Page], units: Sequence[Unit]) -> set[int]:
    """Numbers of the units that are the first to begin on or behind a page's first character."""
    starts = [unit.start for unit in units]
    return {bisect_left(starts, page.start) for page in pages}


def _goes_on(text: str, before: Unit, unit: Unit, *, opens_page: bool) -> bool:
    last_words = text[max(before.start, before.end - _LOOK_BACK) : before.end]
    if before.kind is not BlockKind.PARAGRAPH:
        return False
    if unit.kind is BlockKind.LIST:
        return _INTRODUCES.search(last_words) is not None
    runs_over = opens_page and unit.kind is BlockKind.PARAGRAPH and text[unit.start].islower()
    return runs_over and _ENDS_SENTENCE.search(last_words) is None


def _turns_of(unit: Unit, turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The turns that begin in the unit, and before them the one that it begins in, if no heading ended that."""
    first = bisect_right(turns, unit.start, key=_start)
    after = bisect_left(turns, unit.end, key=_start)
    opened = turns[first - 1 : first]
    begun = unit.headings[-1].end if unit.headings else 0
    if opened and not (opened[0].end > unit.start and opened[0].start >= begun):
        opened = ()
    return (*opened, *turns[first:after])


def _start(turn: Turn) -> int:
    return turn.start
