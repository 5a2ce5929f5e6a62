"""Sentences by rule: terminators, a table of abbreviations, and lines that open list items or headings.

One regular expression finds candidates; every alternative consumes what it has scanned, so the whole is linear in
the text's length. The rules follow the practice of Kiss and Strunk, "Unsupervised Multilingual Sentence Boundary
Detection" (2006): abbreviations, initials and ordinals first, then the case of the word that follows.
"""

from __future__ import annotations

import re

from rag_engine.semantic_chunking.abbreviations import AFTER_ORDINAL, BEFORE_NUMBER, LEADING, OPENERS, TRAILING

# Scripts whose full stop ends a sentence whether white space follows or not.
_UNSPACED = "。！？｡．‼⁇⁈⁉।॥؟۔።։။"
_QUOTES = "\"'”’»›“‘*_"
_BRACKETS = ")]}」』）】〉》"
_MARKS = r"[\u0300-\u036f\ufe0e\ufe0f\u200d]"
_CANDIDATE = re.compile(
    rf"""
    (?P<stop> (?: [.!?…;\u037e{_UNSPACED}]++ {_MARKS}*+ [{re.escape(_QUOTES + _BRACKETS)}]*+ {_MARKS}*+ )++
              (?: \[\d{{1,4}} (?: [,–-]\d{{1,4}} )*+ \] | [⁰¹²³⁴-⁹] )*+ )
  | (?P<line> [\n\r\v\f\x85\u2028\u2029] \s*+ )
    """,
    re.VERBOSE,
)
_NOT_SPACE = re.compile(r"\S")
_WORD = re.compile(r"[\"'“‘«‹({\[*_]*+([\w&§-]++(?:['’.][\w-]++)*+)")
_LETTERS_AND_STOPS = re.compile(r"[^\W\d_](?:\.[^\W\d_]){1,5}")
_ENUMERATOR = re.compile(r"(?:\d{1,3}(?:\.\d{1,3})*|[^\W\d_]|[ivxlcIVXLC]{1,6})")
_BULLET = re.compile(r"[ \t]*(?:[-*+•‣◦▪▫●○·–—]|\(?(?:[a-zA-Z]|[ivxlc]{1,6}|\d{1,3})\))[ \t]+\S")
_NUMBERED = re.compile(r"[ \t]*\d{1,3}(?:\.|(?:\.\d{1,3}){1,4}\.?)[ \t]+\S")
_HEADING = re.compile(r"[ ]{0,3}#{1,6}[ \t]+\S")
_ROW = re.compile(r"[ \t]*(?:\||[^|\n]{0,200} \| )")
_FIELD = re.compile(r"[ \t]*([\w()/%.\[\]-]{1,60}(?: [\w()/%.-]{1,40}){0,3}): \S")
_BEFORE_NUMBERED = frozenset(".:;!?…)]。：；")
_LOOK_BACK = 40  # characters; no abbreviation is longer


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences in order, without surrounding white space, covering every other character.

    A blank line always ends a sentence; a single line break does so only before or after a heading, before a list
    item, and between lines of a table or of records. Time is linear in the text's length.
    """
    spans: list[tuple[int, int]] = []
    without_capitals = text.islower()
    opening = _NOT_SPACE.search(text)
    start = opening.start() if opening else len(text)
    line = 0
    for candidate in _CANDIDATE.finditer(text, start):
        end = candidate.end()
        if candidate.lastgroup == "line":
            ends = _line_ends_sentence(text, line, candidate.start(), end)
            line = max(text.rfind("\n", candidate.start(), end) + 1, candidate.start() + 1)
        else:
            ends = _stop_ends_sentence(text, start, candidate.start(), end, without_capitals)
        if ends and end < len(text):
            following = _NOT_SPACE.search(text, end)
            if following is None:
                break
            if start < candidate.end():
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
    return bool(
        _HEADING.match(text, following) or _HEADING.match(text, line) or starts_item(text, following, previous or " ")
    )


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


def _stop_ends_sentence(text: str, sentence: int, start: int, end: int, without_capitals: bool) -> bool:
    run = text[start:end]
    following = _NOT_SPACE.search(text, end)
    if following is None:
        return True
    after = following.group()
    if any(character in _UNSPACED for character in run):
        return after not in ",，、;；:：" and not (run == "．" and after.isdigit())
    if following.start() == end or after in ",;:)]}–—":
        return False
    if not run.strip(";\u037e"):
        return "\u037e" in run or "\u0370" <= text[start - 1 : start] <= "\u03ff"
    if run[0] == ";":
        return False
    if run == "." and text[start - 1 : start].isspace():  # tokenised text sets its stops apart
        return True
    if run[0] == "." and ".." not in run and not _word_lets_end(text, sentence, start, run, following.start()):
        return False
    return without_capitals or not after.islower()


def _word_lets_end(text: str, sentence: int, stop: int, run: str, following: int) -> bool:
    """Whether a single stop at ``stop`` may end a sentence after its word and before the word at ``following``."""
    before = text[max(sentence, stop - _LOOK_BACK) : stop].split()
    if not before:
        return False
    raw = before[-1]
    word = raw.lstrip("\"'“‘«‹([{*_")
    lower = word.lower()
    after = _WORD.match(text, following, following + _LOOK_BACK)
    next_word = after.group(1) if after else ""
    if len(before) == 1 and stop - sentence <= len(raw) and _ENUMERATOR.fullmatch(word):
        return False  # "1." or "a." or "IV." before its item
    if len(run) > 1:
        bracketed = any(bracket in run for bracket in _BRACKETS)
        return not (bracketed and (lower in LEADING or lower in TRAILING or _LETTERS_AND_STOPS.fullmatch(word)))
    spaced_letters = len(word) == len(next_word) == 1 and after is not None and text.startswith(".", after.end())
    if lower in LEADING or spaced_letters:  # "z. B." beside "z.B."
        return False
    if lower in BEFORE_NUMBER and (next_word[:1].isdigit() or len(next_word) == 1):
        return False
    if word.isdigit() and len(word) <= 2:
        return next_word.lower() not in AFTER_ORDINAL
    initial = len(word) == 1 and word.isalpha() and word.isupper() and word < "\u3000"
    if initial or lower in TRAILING or _LETTERS_AND_STOPS.fullmatch(word):
        return next_word.lower() in OPENERS and next_word[:1].isupper() and len(next_word) > 1
    return True
