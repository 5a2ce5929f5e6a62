"""Definitions of abbreviations in running text: "long form (LF)" and "LF (long form)".

After Schwartz and Hearst, "A simple algorithm for identifying abbreviation definitions in biomedical text" (2003):
the letters of the short form are looked for from right to left, and the first must begin a word. Time is linear in the
text: what is looked at before a bracket is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LEAST_SHORT, MOST_SHORT = 2, 10
MOST_LONG = 100
_BRACKET = re.compile(r"\(([^()\n]{2,100})\)")
_SHORT = re.compile(r"[^\W_](?:[^\W_]|[-./&](?=[^\W_])){1,9}")
_WORD_BEFORE = re.compile(r"(\S+)\s*$")
_CLAUSE_END = re.compile(r"[.;:!?]\s|\n")


def definitions(text: str) -> Iterator[tuple[str, str]]:
    """Pairs of short form as written and long form in lower case, its white space single, as they come."""
    for match in _BRACKET.finditer(text):
        inside = re.split(r"[,;]", match.group(1), maxsplit=1)[0].strip()
        before = text[max(0, match.start() - MOST_LONG - 20) : match.start()].rstrip()
        if ends := list(_CLAUSE_END.finditer(before)):
            before = before[ends[-1].end() :]
        if _is_short(inside):
            long = _long_form(inside, before)
            if long:
                yield inside, long
        elif (word := _WORD_BEFORE.search(before)) and _is_short(word.group(1)) and " " in inside:
            long = _long_form(word.group(1), inside)
            if long and len(long) == len(" ".join(inside.split())):
                yield word.group(1), long


def _is_short(form: str) -> bool:
    """Short forms have a capital: without one, remarks in brackets would pass."""
    return (
        LEAST_SHORT <= len(form) <= MOST_SHORT
        and _SHORT.fullmatch(form) is not None
        and any(letter.isupper() for letter in form)
    )


def _long_form(short: str, text: str) -> str | None:
    """The shortest end of ``text`` that spells ``short``, in lower case; None where there is none."""
    # The first letter begins a word, each other one may stand anywhere, all in their order.
    place = len(text)
    letters = [letter for letter in short.lower() if letter.isalnum()]
    lowered = text.lower()
    if len(lowered) != len(text):
        return None
    for number in range(len(letters) - 1, -1, -1):
        while True:
            place = lowered.rfind(letters[number], 0, place)
            if place < 0:
                return None
            if number > 0 or place == 0 or not lowered[place - 1].isalnum():
                break
    long = " ".join(lowered[place:].split())
    words = long.split()
    most = min(len(letters) + 5, 2 * len(letters))
    if not len(short) + 2 < len(long) <= MOST_LONG or len(words) > most or short.lower() in words:
        return None
    return long if all(word[0].isalnum() or word[0] in "-'" for word in words) else None
