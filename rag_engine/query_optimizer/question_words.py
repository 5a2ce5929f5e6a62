"""The words of a question that may be repaired: no identifier, number, quotation, address or acronym is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_QUOTED = re.compile(r'"[^"]*"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|`[^`]*`|(?<!\w)[\'‘][^\'’]+[\'’](?!\w)')
_RUN = re.compile(r"\S+")
_WORD = re.compile(r"[^\W\d_]+")
_IDENTIFIER = re.compile(r"[\d_@\\=<>{}\[\]#$%&|*+~^]|://|\w[./:(]\w|\(\)|[^\W\d_A-Z][A-Z]|--\w")
# Scripts without spaces between words, and those whose vowel signs are no letters to Python.
_NO_WORDS = re.compile(r"[\u0900-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
MOST_CAPITALS = 6


@dataclass(frozen=True, slots=True)
class QuestionWord:
    """A word of a question and where it stands. ``name`` says that it is written like one: with a capital, not at the
    question's beginning."""

    text: str
    start: int
    end: int
    name: bool

    @property
    def lower(self) -> str:
        """The word in lower case."""
        return self.text.lower()


def question_words(question: str) -> Iterator[QuestionWord]:
    """Words that may be looked at, in their order."""
    quoted = [match.span() for match in _QUOTED.finditer(question)]
    capitals = [match.group()[0].isupper() for match in _WORD.finditer(question)]
    # In a headline, and in a question of capitals, a capital says nothing.
    headline = 2 * sum(capitals) > len(capitals) > 2
    shouted = question.isupper()
    for run in _RUN.finditer(question):
        text = run.group()
        if _IDENTIFIER.search(text.rstrip(".,;:!?)]}%")) or _NO_WORDS.search(text):
            continue
        if any(start < run.end() and run.start() < end for start, end in quoted):
            continue
        for match in _WORD.finditer(text):
            word, start = match.group(), run.start() + match.start()
            around = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
            possessive = text[match.end() : match.end() + 2].lower() in ("'s", "’s")
            if (("'" in around or "’" in around) and not possessive) or len(word.lower()) != len(word):
                continue
            if len(word) > 1 and word.isupper() and not shouted and len(word) <= MOST_CAPITALS:
                continue
            yield QuestionWord(word, start, start + len(word), word[0].isupper() and start > 0 and not headline)
