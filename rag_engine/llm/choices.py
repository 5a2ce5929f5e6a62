"""Questions that name their answers: "tea or coffee?"."""

from __future__ import annotations

import re

from rag_engine.llm.answer_kinds import AnswerKind
from rag_engine.llm.asked import Asked
from rag_engine.llm.terms import terms
from rag_engine.llm.words import words_of

_OR = re.compile(r",?\s+or\s+(?:rather\s+)?", re.IGNORECASE)
_END = re.compile(r"[?.!,;:]")
# More words on a side are a clause, not a choice.
_MOST_WORDS = 4


def chosen(asked: Asked, sentence: str) -> tuple[int, int] | None:
    """Characters of ``sentence`` that name one of the two choices of a question; None where it names none or both."""
    options = _options(asked)
    if options is None:
        return None
    words = words_of(sentence)
    found = []
    for option in options:
        for first in range(len(words)):
            last = first + len(option)
            if tuple(term for word in words[first:last] for term in word.terms) == option:
                found.append((words[first].start, words[last - 1].end))
                break
    return found[0] if len(found) == 1 else None


def _options(asked: Asked) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The terms of both choices, as many words on the left as there are on the right."""
    sides = _OR.split(asked.text)
    if asked.kind is not AnswerKind.CHOICE or len(sides) != 2:
        return None
    right = terms(_END.split(sides[1])[0])
    left = terms(sides[0])[-len(right) :] if right else []
    if not left or len(right) > _MOST_WORDS or len(left) < len(right) or left == right:
        return None
    return tuple(left), tuple(right)
