"""Quotations and brackets that hold a sentence together: a stop within them does not end it.

As in the golden rules of Pragmatic Segmenter (Dias, 2015), but only where the closing mark is near: a quotation of
many sentences is cut between them.
"""

from __future__ import annotations

import re

_NEAR = 200  # characters, before the stop and after it
_PAIRS = (
    ("“", "”"), ("„", "“”"), ("«", "»"), ("»", "«"), ("‹", "›"), ("(", ")"), ("[", "]"),
    ("「", "」"), ("『", "』"), ("《", "》"), ("（", "）"),
)  # fmt: skip
_OPENING = re.compile(f"[{re.escape(''.join(opening for opening, _ in _PAIRS))}]")
_TWO_WAYS = "“„»"  # they close in another language's quotations, and only open before a word
_BEFORE_OPENING = "([{—–-:/¿¡'‘"
_EAST_ASIAN = "\u2e80"  # from here on no spaces stand before opening marks
_SPACED_CLOSING = re.compile(r"[ \u00a0\u202f]([\"»”“])(?=[\s,.;:!?)]|\Z)")


def within_quotation(text: str, sentence: int, stop: int) -> bool:
    """Whether what opened since ``sentence`` is still open at ``stop`` and closes soon, in the same paragraph."""
    low, high = max(sentence, stop - _NEAR), stop + _NEAR
    if _OPENING.search(text, low, stop):
        for opening, closings in _PAIRS:
            position = text.rfind(opening, low, stop)
            if position < 0 or not _opens(text, position) or _first(text, closings, position + 1, stop) >= 0:
                continue
            closing = _first(text, closings, stop, high)
            if closing >= 0 and "\n\n" not in text[stop:closing]:
                return True
    if text.find('"', low, stop) >= 0 and _is_open(text, '"', sentence, stop):
        closing = text.find('"', stop, high)
        return closing > stop and not text[closing - 1].isspace() and "\n\n" not in text[stop:closing]
    return False


def with_closing_mark(text: str, sentence: int, stop: int) -> int:
    """The end of a closing quotation mark that white space sets apart from the stop before it, or ``stop``.

    French spacing and tokenised text have it so; the mark counts only where a quotation is open.
    """
    if text[stop + 1 : stop + 2] not in '"»”“':
        return stop
    spaced = _SPACED_CLOSING.match(text, stop)
    return spaced.end() if spaced and _is_open(text, spaced.group(1), sentence, stop) else stop


def _is_open(text: str, closing: str, sentence: int, stop: int) -> bool:
    if stop - sentence > 2 * _NEAR:
        return False
    if closing == '"':
        return text.count('"', sentence, stop) % 2 == 1
    opening = {"»": "«", "”": "“", "“": "„"}[closing]
    return text.rfind(opening, sentence, stop) > text.rfind(closing, sentence, stop)


def _opens(text: str, position: int) -> bool:
    before, after = text[max(0, position - 1) : position], text[position + 1 : position + 2]
    if before and not before.isspace() and before not in _BEFORE_OPENING and before < _EAST_ASIAN:
        return False
    return text[position] not in _TWO_WAYS or after.isalnum() or after in "¿¡(["


def _first(text: str, marks: str, start: int, end: int) -> int:
    return min((found for mark in marks if (found := text.find(mark, start, end)) >= 0), default=-1)
