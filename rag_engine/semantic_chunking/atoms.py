"""Atoms: the largest pieces of a unit that fit a chunk, from whole blocks down to single characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from rag_engine.semantic_chunking.line_breaks import paragraph_breaks
from rag_engine.semantic_chunking.sentences import split_sentences, starts_item
from rag_engine.semantic_chunking.structure import Unit
from rag_engine.semantic_chunking.token_positions import TokenPositions
from rag_engine.types.document import BlockKind


class Depth(IntEnum):
    """How deep in the text's structure a boundary lies: the deeper, the worse a place to cut."""

    SECTION = 0
    BLOCK = 1
    GROUP = 2
    PART = 3
    SENTENCE = 4
    CLAUSE = 5
    PHRASE = 6
    WORD = 7
    SEGMENT = 8
    CHARACTER = 9
    CODE_POINT = 10


class Atom(NamedTuple):
    """A span that boundaries do not enter, and the depth of the boundary before it."""

    start: int
    end: int
    depth: Depth


Splitter = Callable[[str, int, int], Iterable[int]]

_BLANK_LINE = re.compile(r"\n[^\S\n]*+\n")
_LINE = re.compile(r"\n")
_CLAUSE = re.compile(r"[,;:)\]}|—–]\s|[，、；：]")
_SPACE = re.compile(r"\s+")
_SEGMENT = re.compile(r"(?s)[^\s]{0,15}[^\w\s]|.{1,16}")
_WORDS_OF_A_PHRASE = 8
_JOINERS = frozenset("\u200d\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


def _after(pattern: re.Pattern[str]) -> Splitter:
    return lambda text, start, end: (match.end() for match in pattern.finditer(text, start, end))


def _items(text: str, start: int, end: int) -> Iterator[int]:
    for match in _LINE.finditer(text, start, end):
        if starts_item(text, match.end(), text[max(start, match.start() - 8) : match.start()].rstrip()[-1:]):
            yield match.end()


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
_LINES = (Depth.PART, _after(_LINE))
_LADDERS: dict[BlockKind, tuple[tuple[Depth, Splitter], ...]] = {
    BlockKind.PARAGRAPH: ((Depth.GROUP, paragraph_breaks), *_WORDS_LADDER),
    BlockKind.LIST: ((Depth.GROUP, _items), *_WORDS_LADDER),
    BlockKind.TABLE: (_LINES, *_WORDS_LADDER),
    BlockKind.ROW: (_LINES, *_WORDS_LADDER),
    BlockKind.CODE: ((Depth.GROUP, _after(_BLANK_LINE)), _LINES, *_WORDS_LADDER[1:]),
}


def cut_to_atoms(text: str, unit: Unit, first: Depth, positions: TokenPositions, capacity: float) -> list[Atom]:
    """Atoms of a unit in order, each of at most ``capacity`` unless it is a single character.

    The unit is kept whole where it fits; what does not fit is cut at the next smaller kind of piece, and only that.
    ``first`` is the depth of the boundary before the unit.
    """
    import numpy as np

    atoms = [Atom(unit.start, unit.end, first)]
    for depth, splitter in _LADDERS.get(unit.kind, _WORDS_LADDER):
        spans = np.asarray([atom[:2] for atom in atoms], dtype=np.int64)
        too_large = positions.sizes(spans[:, 0], spans[:, 1]) > capacity
        if not too_large.any():
            break
        finer: list[Atom] = []
        for atom, cut in zip(atoms, too_large.tolist(), strict=True):
            if cut:
                finer.extend(_cut(text, atom, depth, splitter))
            else:
                finer.append(atom)
        atoms = finer
    return atoms


def _cut(text: str, atom: Atom, depth: Depth, splitter: Splitter) -> Iterator[Atom]:
    start, before = atom.start, atom.depth
    for position in (*splitter(text, atom.start, atom.end), atom.end):
        inside = atom.start < position < atom.end
        if position <= start or (inside and depth is not Depth.CODE_POINT and _joined(text, position)):
            continue
        piece = text[start:position]
        stripped = piece.strip()
        if stripped:
            begin = start + len(piece) - len(piece.lstrip())
            yield Atom(begin, begin + len(stripped), before)
            before = depth
        start = position


def _joined(text: str, position: int) -> bool:
    """Whether the characters on both sides of ``position`` are seen as one: marks, joiners and skin tones."""
    character = text[position]
    if character < "\u0300" and text[position - 1] != "\u200d":
        return False
    return character in _JOINERS or text[position - 1] == "\u200d" or unicodedata.category(character)[0] == "M"
