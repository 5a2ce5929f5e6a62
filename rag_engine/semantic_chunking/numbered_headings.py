"""Headings that plain text marks by nothing but a number: ``3.2 Payment terms``, ``ARTICLE IV``, ``§ 7``, ``第三章``.

A line counts where it is short, alone between blank lines, without a full stop, and where its number follows that of
the heading of its kind before it, or is followed by that of the next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

_LONGEST_LINE = 100  # characters
_MOST_WORDS = 12
_MOST_WORDS_AFTER_ONE_NUMBER = 8
# Outermost first; a decimal number is deeper than all of these, by as many levels as it has parts.
_LEVELS = (
    frozenset(
        {
            "part",
            "teil",
            "parte",
            "partie",
            "deel",
            "часть",
            "appendix",
            "annex",
            "anhang",
            "schedule",
            "exhibit",
            "anexo",
            "annexe",
            "編",
            "篇",
            "部",
        }
    ),
    frozenset({"chapter", "kapitel", "chapitre", "capítulo", "capitolo", "hoofdstuk", "глава", "title", "titel", "章"}),
    frozenset({"article", "artikel", "artículo", "articolo", "artigo", "статья", "条", "條"}),
    frozenset({"section", "abschnitt", "sección", "sezione", "seção", "раздел", "§", "节", "節"}),
)
_WORDS = "|".join(sorted(word for words in _LEVELS for word in words if word.isalpha() and word < "\u3000"))
_NUMBERED = re.compile(
    rf"""
    [ ]{{0,3}}(?:
        (?P<decimal> \d{{1,3}}(?:\.\d{{1,3}}){{0,4}} ) (?P<stop>\.?) [ \t]+ (?P<title> [^\s].* )
      | (?P<word> (?:{_WORDS})\b | § ) [ \t]* (?P<number> \d{{1,4}}(?:\.\d{{1,3}}){{0,3}} | [IVXLC]{{1,8}} | [A-Z] )
        (?![\w,]|\.\d)
        [.:]? (?: [ \t]*[-–—:][ \t]* | [ \t]+ )? (?P<behind> .* )
      | 第 (?P<ideographic> \d{{1,3}} | [一二三四五六七八九十]{{1,3}} ) (?P<unit>[章节節条條編篇部]) (?P<after> .* )
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ENDS_SENTENCE = re.compile(r"[.,;:!…。，；：！]\W{0,2}\Z")
_LETTER = re.compile(r"[^\W\d_]")
_LEADERS = re.compile(r"\.{3,}|(?:\. ){3,}|…|\t\d+\Z|  +\d+\Z|\|")
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_IDEOGRAPHS = "一二三四五六七八九"


class _Candidate(NamedTuple):
    """A line that may be a heading: which, its kind, its number, its level, its words, and the next line with any."""

    line: int
    kind: str
    number: tuple[int, ...]
    level: int
    title: str
    next_line: int


def numbered_headings(lines: Sequence[str]) -> Mapping[int, tuple[int, str]]:
    """Level and title of the headings, by the number of their line; time is linear in the lines."""
    last: dict[str, _Candidate] = {}
    accepted: dict[int, tuple[int, str]] = {}
    for candidate in _candidates(lines):
        before = last.get(candidate.kind)
        if before is not None and _follows(before, candidate):
            accepted[before.line] = (before.level, before.title)
            accepted[candidate.line] = (candidate.level, candidate.title)
        last[candidate.kind] = candidate
    return accepted


def _candidates(lines: Sequence[str]) -> Iterator[_Candidate]:
    with_words = [number for number, line in enumerate(lines) if line and not line.isspace()]
    for before, (number, after) in zip([-2, *with_words], pairwise([*with_words, len(lines) + 1]), strict=False):
        line = lines[number]
        # Alone between blank lines: none of its neighbours has words.
        if (
            before < number - 1
            and number + 1 < after
            and len(line) <= _LONGEST_LINE
            and (match := _NUMBERED.match(line))
        ):
            candidate = _candidate(match, number, after)
            nested = after < len(lines) and lines[after][:2].isspace()  # an item of a list goes on so
            if candidate is not None and not (nested and len(candidate.number) == 1):
                yield candidate


def _candidate(match: re.Match[str], line: int, next_line: int) -> _Candidate | None:
    whole = " ".join(match.string.split())
    title = (match.group("title") or match.group("behind") or match.group("after") or "").strip()
    if _LEADERS.search(match.string.strip()) or (title and not _is_title(title)):
        return None
    if decimal := match.group("decimal"):
        parts = tuple(int(part) for part in decimal.split("."))
        if not title or 0 in parts[:1] or (len(parts) == 1 and len(title.split()) > _MOST_WORDS_AFTER_ONE_NUMBER):
            return None
        kind = "decimal."[: None if match.group("stop") and len(parts) == 1 else -1]
        return _Candidate(line, kind, parts, len(_LEVELS) + len(parts), whole, next_line)
    word = (match.group("word") or match.group("unit")).casefold()
    level = next(level for level, words in enumerate(_LEVELS, 1) if word in words)
    parts = tuple(map(_value, (match.group("number") or match.group("ideographic")).split(".")))
    return _Candidate(line, word, parts, level, whole, next_line)


def _is_title(title: str) -> bool:
    if len(title.split()) > _MOST_WORDS or _ENDS_SENTENCE.search(title):
        return False
    letter = _LETTER.search(title)
    return letter is not None and letter.start() <= 1 and not letter.group().islower()


def _follows(before: _Candidate, candidate: _Candidate) -> bool:
    """Whether the second number comes after the first one: as its first part, or next to it or what it is part of.

    Two of one level without a word between them are items of a list or lines of a table of contents.
    """
    one, other = before.number, candidate.number
    if other == (*one, 1):
        return True
    has_body = before.next_line != candidate.line
    parts = len(other)
    return (
        parts <= len(one)
        and other[:-1] == one[: parts - 1]
        and other[-1] == one[parts - 1] + 1
        and (has_body or parts < len(one))
    )


def _value(number: str) -> int:
    """The value of a number in digits, Roman numerals, ideographs below a hundred, or of a letter."""
    if number.isascii() and number.isdigit():
        return int(number)
    if number[0] in _IDEOGRAPHS or number[0] == "十":
        tens, _, ones = number.rpartition("十")
        ten = (_IDEOGRAPHS.find(tens) + 1 if tens else 1) if "十" in number else 0
        return 10 * ten + _IDEOGRAPHS.find(ones[-1:] or "?") + 1
    number = number.upper()
    if len(number) == 1 and number not in "IVX":
        return ord(number) - ord("A") + 1
    values = [_ROMAN[letter] for letter in number]
    return sum(-one if one < following else one for one, following in zip(values, [*values[1:], 0], strict=True))
