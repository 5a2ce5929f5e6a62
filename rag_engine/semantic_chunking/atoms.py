"""Atoms: the largest pieces of a unit that fit a chunk, from whole blocks down to single characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from rag_engine.semantic_chunking.code_statements import Statements
from rag_engine.semantic_chunking.grapheme_clusters import flag_middles, parts_cluster
from rag_engine.semantic_chunking.line_breaks import paragraph_breaks
from rag_engine.semantic_chunking.list_items import item_starts, outermost_item_starts
from rag_engine.semantic_chunking.sentences import split_sentences
from rag_engine.semantic_chunking.table_rows import row_starts
from rag_engine.semantic_chunking.token_positions import TokenPositions
from rag_engine.semantic_chunking.units import Unit
from rag_engine.types.document import BlockKind


class Depth(IntEnum):
    """How deep in the text's structure a boundary lies: the deeper, the worse a place to cut."""

    SECTION = 0
    PAGE = 1
    BLOCK = 2
    GROUP = 3
    PART = 4
    SENTENCE = 5
    CLAUSE = 6
    PHRASE = 7
    WORD = 8
    SEGMENT = 9
    CHARACTER = 10
    CODE_POINT = 11


class Atom(NamedTuple):
    """A span that boundaries do not enter, and the depth of the boundary before it."""

    start: int
    end: int
    depth: Depth


Splitter = Callable[[str, int, int], Iterable[int]]

_LINE = re.compile(r"\n")
_CLAUSE = re.compile(r"[,;:)\]}|—–]\s|[，、；：]")
_SPACE = re.compile(r"\s+")
_SEGMENT = re.compile(r"(?s)[^\s]{0,15}[^\w\s]|.{1,16}")
_WORDS_OF_A_PHRASE = 8


def _after(pattern: re.Pattern[str]) -> Splitter:
    return lambda text, start, end: (match.end() for match in pattern.finditer(text, start, end))


def _sentences(text: str, start: int, end: int) -> list[int]:
    return [start + sentence for sentence, _ in split_sentences(text[start:end])]


def _phrases(text: str, start: int, end: int) -> Iterator[int]:
    for number, match in enumerate(_SPACE.finditer(text, start, end), 1):
        if number % _WORDS_OF_A_PHRASE == 0:
            yield match.end()


def _characters(text: str, start: int, end: int) -> range:  # noqa: ARG001 - one signature for all splitters
    return range(start + 1, end)


_WORDS_LADDER: tuple[tuple[Depth, Splitter], ...] = (
    (Depth.SENTENCE, _sentences),
    (Depth.CLAUSE, _after(_CLAUSE)),
    (Depth.PHRASE, _phrases),
    (Depth.WORD, _after(_SPACE)),
    (Depth.SEGMENT, _after(_SEGMENT)),
    (Depth.CHARACTER, _characters),
    (Depth.CODE_POINT, _characters),
)
_LISTS_LADDER = (
    (Depth.GROUP, outermost_item_starts),
    (Depth.PART, outermost_item_starts),
    (Depth.PART, item_starts),
    *_WORDS_LADDER,
)
_LINES = _after(_LINE)
_LADDERS: dict[BlockKind, tuple[tuple[Depth, Splitter], ...]] = {
    BlockKind.PARAGRAPH: ((Depth.GROUP, paragraph_breaks), *_WORDS_LADDER),
    BlockKind.LIST: _LISTS_LADDER,
    BlockKind.TABLE: ((Depth.PART, row_starts), (Depth.SENTENCE, _LINES), *_WORDS_LADDER[1:]),
    BlockKind.ROW: ((Depth.PART, _LINES), *_WORDS_LADDER),
}


def _ladder(text: str, unit: Unit) -> Iterator[tuple[Depth, Splitter]]:
    """Ever smaller pieces that the unit may be cut to, each with the depth of the boundaries between them."""
    if unit.turns:
        yield Depth.PART, lambda _, start, end: (turn.start for turn in unit.turns if start < turn.start < end)
    if unit.kind is not BlockKind.CODE:
        yield from _LADDERS.get(unit.kind, _WORDS_LADDER)
        return
    statements = Statements(text, unit.start, unit.end)
    yield Depth.GROUP, statements.outermost_after_blank
    yield Depth.GROUP, statements.outermost_after_blank  # methods, where the first ones were classes
    yield Depth.PART, statements.outermost
    yield Depth.PART, statements.outermost
    yield Depth.PART, statements.every
    yield Depth.SENTENCE, _LINES
    yield from _WORDS_LADDER[1:]


def cut_to_atoms(text: str, unit: Unit, first: Depth, positions: TokenPositions, capacity: float) -> list[Atom]:
    """Atoms of a unit in order, each of at most ``capacity`` unless it is a single character.

    The unit is kept whole where it fits; what does not fit is cut at the next smaller kind of piece, and only that.
    ``first`` is the depth of the boundary before the unit, unless the unit tells of a page or that it goes on.
    """
    import numpy as np

    if unit.goes_on:
        first = max(first, Depth.CLAUSE)
    elif unit.opens_page:
        first = min(first, Depth.PAGE)
    atoms = [Atom(unit.start, unit.end, first)]
    rungs = _ladder(text, unit)
    while True:
        spans = np.asarray([atom[:2] for atom in atoms], dtype=np.int64)
        too_large = positions.sizes(spans[:, 0], spans[:, 1]) > capacity
        if not too_large.any():
            return atoms
        rung = next(rungs, None)
        if rung is None:
            return atoms
        finer: list[Atom] = []
        for atom, cut in zip(atoms, too_large.tolist(), strict=True):
            if cut:
                finer.extend(_cut(text, atom, *rung))
            else:
                finer.append(atom)
        atoms = finer


def _cut(text: str, atom: Atom, depth: Depth, splitter: Splitter) -> Iterator[Atom]:
    start, before = atom.start, atom.depth
    # Pieces of words and more end at white space or punctuation: only smaller ones can part a flag.
    whole = depth is not Depth.CODE_POINT
    flags = frozenset(flag_middles(text, start, atom.end) if whole and depth >= Depth.SEGMENT else ())
    for position in (*splitter(text, atom.start, atom.end), atom.end):
        inside = atom.start < position < atom.end
        if position <= start or (inside and whole and (position in flags or parts_cluster(text, position))):
            continue
        piece = text[start:position]
        stripped = piece.strip()
        if stripped:
            begin = start + len(piece) - len(piece.lstrip())
            yield Atom(begin, begin + len(stripped), before)
            before = depth
        start = position
