"""Words that a PDF breaks at the end of a line, made whole: ``Fed-eral`` would be found by nobody.

PDFium marks the place. Whether the hyphen belongs to the word as well (``short-term``) a document mostly shows
itself, by writing the word elsewhere; no dictionary of any language is needed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

MARK = "\ufffe"  # where PDFium found a word broken; a noncharacter, which no text holds
_LONGEST_PART = 64  # of a broken word, in letters; what is longer is none
_LETTER = r"[^\W\d_]"
_LAST_LETTERS = re.compile(rf"{_LETTER}*\Z")
_FIRST_LETTERS = re.compile(rf"{_LETTER}*")
_WORD = re.compile(rf"{_LETTER}+(?:-{_LETTER}+)*")


def whole_words(pages: Sequence[str]) -> list[str]:
    """The pages' texts without marks: each becomes a hyphen or nothing.

    A word that stands elsewhere in one piece, or with its hyphen, is written as it is there. Of the others those keep
    the hyphen whose two parts are words by themselves in the document, or whose second part begins with a capital.
    """
    if not any(MARK in page for page in pages):
        return list(pages)
    known: set[str] = set()
    for page in pages:
        pieces = page.split(MARK)
        for number, piece in enumerate(pieces):
            begin = _first_part(piece) if number else ""
            end = _last_part(piece) if number + 1 < len(pieces) else ""
            known.update(_WORD.findall(piece[len(begin) : len(piece) - len(end)].lower()))
    return [_joined(page.split(MARK), known) for page in pages]


def _joined(pieces: Sequence[str], known: Collection[str]) -> str:
    parts = [pieces[0]]
    for before, after in pairwise(pieces):
        parts += ["-" if _keeps_hyphen(_last_part(before), _first_part(after), known) else "", after]
    return "".join(parts)


def _keeps_hyphen(first: str, second: str, known: Collection[str]) -> bool:
    if (first + second).lower() in known:
        return False
    if f"{first}-{second}".lower() in known or not (first and second[:1].islower()):
        return True
    return first.lower() in known and second.lower() in known


def _last_part(piece: str) -> str:
    found = _LAST_LETTERS.search(piece[-_LONGEST_PART:])
    return found[0] if found else ""


def _first_part(piece: str) -> str:
    found = _FIRST_LETTERS.match(piece[:_LONGEST_PART])
    return found[0] if found else ""
