"""Characters that are seen as one: a letter with its marks, an emoji of several parts, a flag, a syllable.

The rules are those of Unicode's Standard Annex 29 for extended grapheme clusters, as far as the standard library's
character data tells them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_ZERO_WIDTH_JOINER = "\u200d"
_JOINED_TO_WHAT_PRECEDES = frozenset(
    "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
)
# Viramas that bind the next consonant, in the scripts of rule GB9c.
_LINKERS = frozenset("\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d")
_FLAG = re.compile(r"[\U0001f1e6-\U0001f1ff]{2}")
_FIRST_JOINED = "\u0300"


def parts_cluster(text: str, position: int) -> bool:
    """Whether the characters on both sides of ``position`` are seen as one, but for flags (see ``flag_middles``)."""
    character, previous = text[position], text[position - 1]
    if character < _FIRST_JOINED and previous < _FIRST_JOINED:
        return character == "\n" and previous == "\r"
    if character in _JOINED_TO_WHAT_PRECEDES or "\U000e0020" <= character <= "\U000e007f":
        return True
    if previous == _ZERO_WIDTH_JOINER or unicodedata.category(character)[0] == "M":
        return True
    if previous in _LINKERS:
        return character.isalpha()
    return "\u1100" <= character <= "\ud7fb" and _parts_syllable(previous, character)


def flag_middles(text: str, start: int, end: int) -> Iterator[int]:
    """Positions between the two letters of a flag, where ``start`` does not part one itself."""
    return (match.start() + 1 for match in _FLAG.finditer(text, start, end))


def _parts_syllable(previous: str, character: str) -> bool:
    """Whether two Hangul letters or syllables are parts of one: leading consonants, then vowels, then trailing ones."""
    before, after = _syllable_part(previous), _syllable_part(character)
    return (before, after) in {("L", "L"), ("L", "V"), ("L", "S"), ("V", "V"), ("V", "T"), ("T", "T"), ("S", "T")} or (
        before == "S" and after == "V" and (ord(previous) - 0xAC00) % 28 == 0
    )


def _syllable_part(character: str) -> str:
    if "\u1100" <= character <= "\u115f" or "\ua960" <= character <= "\ua97c":
        return "L"
    if "\u1160" <= character <= "\u11a7" or "\ud7b0" <= character <= "\ud7c6":
        return "V"
    if "\u11a8" <= character <= "\u11ff" or "\ud7cb" <= character <= "\ud7fb":
        return "T"
    return "S" if "\uac00" <= character <= "\ud7a3" else ""
