"""Sentences by rule: terminators, tables of abbreviations, quotations, and lines that open list items or headings.

One regular expression finds candidates; every alternative consumes what it has scanned, so the whole is linear in
the text's length. The rules follow the practice of Kiss and Strunk, "Unsupervised Multilingual Sentence Boundary
Detection" (2006): abbreviations, initials and ordinals first, then the case of the word that follows.
"""

from __future__ import annotations

import re

from rag_engine.semantic_chunking.quotations import with_closing_mark, within_quotation
from rag_engine.semantic_chunking.stops import (
    BULLETS,
    CLOSING_BRACKETS,
    UNSPACED_STOPS,
    stop_ends_sentence,
)

_STOPS = rf".!?…;\u037e{UNSPACED_STOPS}"
_BREAKS = r"\n\r\v\f\x85\u2028\u2029"
_ALWAYS_CLOSING = re.escape("\"'”’*_" + CLOSING_BRACKETS)
_CLOSING = rf"(?:[{_ALWAYS_CLOSING}]|[»›“‘«‹](?!\w))*+"  # the latter open in some languages, before a word
_MARKS = r"[\u0300-\u036f\ufe0e\ufe0f\u200d]"
_THAI_OR_LAO = r"\u0e01-\u0eff"
_CANDIDATE = rf"""
    (?: (?P<stop> (?<=[{_STOPS}]) [{_STOPS}]*+ (?: [ \u00a0]\.(?![\w.]) )*+ {_MARKS}*+ {_CLOSING} {_MARKS}*+
                  (?: [{_STOPS}]++ {_MARKS}*+ {_CLOSING} {_MARKS}*+ )*+
                  (?: \[\d{{1,4}} (?: [,–-]\d{{1,4}} )*+ \] | [⁰¹²³⁴-⁹] )*+ )
      | (?P<line> (?<=[{_BREAKS}]) \s*+ )
      | (?P<colon> (?<=[\u0531-\u0587.…]:) (?=\s) )
      | (?P<item> (?<=\s[{BULLETS}]) (?=\s?\w) | (?<=[^\W_]\)) (?=\s) )
      | (?P<space> (?<=[{_THAI_OR_LAO}]\x20) \x20*+ (?=[{_THAI_OR_LAO}]) )
    )
"""
# Each begins with one set, so that the matcher skips to the set's members; spaces would be far too many of them.
_FIRST = rf"{_STOPS}{_BREAKS}{BULLETS}:)"
_CANDIDATES = re.compile(rf"[{_FIRST}]{_CANDIDATE}", re.VERBOSE)
_CANDIDATES_AND_SPACES = re.compile(rf"[{_FIRST}\x20]{_CANDIDATE}", re.VERBOSE)
_WITHOUT_STOPS = re.compile(f"[{_THAI_OR_LAO}]")
_NOT_SPACE = re.compile(r"\S")
_ARMENIAN = re.compile(r"[\u0531-\u0587][.…]*:")
_NO_PHRASE_END = "ๆฯໆຯ"  # repetition and elision marks, always followed by a space
_PHRASE = 30  # characters
_BULLET = re.compile(r"[ \t]*(?:[-*+•‣◦▪▫●○·–—]|\(?(?:[a-zA-Z]|[ivxlc]{1,6}|\d{1,3})\))[ \t]+\S")
_NUMBERED = re.compile(r"[ \t]*\d{1,3}(?:\.|(?:\.\d{1,3}){1,4}\.?)[ \t]+\S")
_HEADING = re.compile(r"[ ]{0,3}#{1,6}[ \t]+\S")
_ROW = re.compile(r"[ \t]*(?:\||[^|\n]{0,200} \| )")
_LETTERED = re.compile(r"[ \t]*(?:[^\W\d_]|[ivxlcIVXLC]{1,6})\.[ \t]+\S")
_FIELD = re.compile(r"[ \t]*([\w()/%.\[\]-]{1,60}(?: [\w()/%.-]{1,40}){0,3}): \S")
_OPENING_ITEM = re.compile(rf"[{BULLETS}]?\s?(\d{{1,3}}|[a-z])(\.\)|[.)])\s")
_BEFORE_NUMBERED = frozenset(".:;!?…)]。：；")
_LOOK_BACK = 40  # characters


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences in order, without surrounding white space, covering every other character.

    A blank line always ends a sentence; a single line break does so only before or after a heading, before a list
    item, and between lines of a table or of records. A stop in a quotation or in brackets ends none where both marks
    are within 200 characters. Thai and Lao, which have no full stop, are cut at spaces, into phrases. Time is linear
    in the text's length.
    """
    spans: list[tuple[int, int]] = []
    without_capitals = text.islower()
    opening = _NOT_SPACE.search(text)
    start = opening.start() if opening else len(text)
    line = 0
    candidates = _CANDIDATES_AND_SPACES if _WITHOUT_STOPS.search(text) else _CANDIDATES
    for candidate in candidates.finditer(text, start):
        position, end, kind = candidate.start(), candidate.end(), candidate.lastgroup
        if kind == "line":
            ends = _line_ends_sentence(text, line, position, end)
            line = max(text.rfind("\n", position, end) + 1, position + 1)
        elif kind == "item":
            end = _item_start(text, start, position)
            ends = end > start
        elif kind == "space":
            ends = position - start >= _PHRASE and text[position - 1] not in _NO_PHRASE_END
        elif kind == "colon":  # the Armenian full stop, typed as a colon
            ends = _ARMENIAN.search(text, max(start, position - _LOOK_BACK), end) is not None
        elif end == position + 1 < len(text) and text[position] in ".?!;" and not text[end].isspace():
            continue  # a decimal, a domain, a name in code: most of the candidates of some texts
        else:
            item = _numbered_item_start(text, start, position)
            if item > start:
                end, ends = item, True
            else:
                end = with_closing_mark(text, start, end)
                ends = stop_ends_sentence(text, start, position, end, without_capitals=without_capitals)
                ends = ends and not within_quotation(text, start, end)
        if ends and end < len(text):
            following = _NOT_SPACE.search(text, end)
            if following is None:
                break
            if start < end:
                spans.append((start, start + len(text[start:end].rstrip())))
            start = following.start()
    if start < len(text):
        spans.append((start, start + len(text[start:].rstrip())))
    return spans


def starts_item(text: str, line: int, previous: str) -> bool:
    """Whether the line that begins at ``line`` opens a list item; ``previous`` is the last character before it.

    A number opens an item only after punctuation or nothing: a wrapped line may begin with one by chance.
    """
    if _BULLET.match(text, line):
        return True
    return (not previous or previous in _BEFORE_NUMBERED) and _NUMBERED.match(text, line) is not None


def _line_ends_sentence(text: str, line: int, start: int, end: int) -> bool:
    breaks = text[start:end].replace("\r\n", "\n")
    if "\u2029" in breaks or sum(map(breaks.count, "\n\r\v\f\x85\u2028")) > 1:
        return True
    following = max(text.rfind("\n", start, end) + 1, start + 1)
    previous = text[max(0, start - _LOOK_BACK) : start].rstrip()[-1:]
    if _are_records(text, line, start, following):
        return True
    if _HEADING.match(text, following) or _HEADING.match(text, line):
        return True
    lettered = previous in _BEFORE_NUMBERED and _LETTERED.match(text, following) is not None
    return lettered or starts_item(text, following, previous or " ")


def _are_records(text: str, line: int, end: int, following: int) -> bool:
    """Whether the lines at ``line`` and ``following`` are rows of a table, or records of named fields: the same
    first field in both, or single words in both. Prose has colons too, but rarely so."""
    if _ROW.match(text, line, end) and _ROW.match(text, following):
        return True
    first, second = _FIELD.match(text, line, end), _FIELD.match(text, following)
    if first is None or second is None:
        return False
    names = first.group(1), second.group(1)
    return names[0] == names[1] or not any(" " in name for name in names)


def _item_start(text: str, sentence: int, mark: int) -> int:
    """Where the item begins that the bullet or bracket at ``mark`` opens within a line, or ``sentence``.

    A bullet always opens one; a number or letter where the sentence is the item before it: "1) One 2) Two".
    """
    return mark if text[mark] in BULLETS else _next_item(text, sentence, mark, ")")


def _numbered_item_start(text: str, sentence: int, stop: int) -> int:
    """Where the item "2. Two" of "1. One 2. Two" begins, or ``sentence``."""
    if stop <= sentence or text[stop] != "." or not (text[stop - 1].isdigit() or text[max(0, stop - 2)].isspace()):
        return sentence
    closing = ".)" if text.startswith(".)", stop) else "."
    after = stop + len(closing)
    return _next_item(text, sentence, stop, closing) if text[after : after + 1].isspace() else sentence


def _next_item(text: str, sentence: int, end: int, closing: str) -> int:
    before = _OPENING_ITEM.match(text, sentence)
    if before is None or before.group(2) != closing:
        return sentence
    previous = before.group(1)
    name = str(int(previous) + 1) if previous.isdigit() else chr(ord(previous) + 1)
    start = end - len(name)
    return start if start >= before.end() and text.startswith(name, start) and text[start - 1].isspace() else sentence
