"""Counting the words of a corpus as they are written, one chunk at a time."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from rag_engine.index.vocabulary.definitions import definitions

LEAST_LETTERS, MOST_LETTERS = 2, 32
# About 30 MB of counts; what comes after these goes into a segment of its own.
MOST_FORMS = 200_000
_RUN = re.compile(r"[^\W_]+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")
# Scripts without spaces between words have no words that could be told by looking; beyond the BMP there are few.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00010000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True)
class CountedWord:
    """A word in lower case, in how many chunks it was met, and which letters of its most frequent form are capitals
    (bit n for letter n)."""

    word: str
    frequency: int
    capitals: int


class WordCounts:
    """Words and definitions of abbreviations, with the number of chunks that hold them."""

    def __init__(self) -> None:
        self._forms: Counter[str] = Counter()
        self.definitions: Counter[tuple[str, str]] = Counter()

    @property
    def full(self) -> bool:
        """Whether there are as many as should be held in memory."""
        return len(self._forms) >= MOST_FORMS

    def __bool__(self) -> bool:
        return bool(self._forms)

    def add(self, text: str) -> None:
        """Counts each word of a chunk once."""
        if not text.isascii() and not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
        self._forms.update(set(_RUN.findall(text)))
        if "(" in text:
            self.definitions.update(set(definitions(text)))

    def words(self) -> list[CountedWord]:
        """Every word once, whatever its capitals. A chunk that holds two forms of a word counts for both of them."""
        totals: dict[str, int] = {}
        best: dict[str, tuple[int, str]] = {}
        for form, count in self._forms.items():
            for part in _parts(form):
                word = part.lower()
                totals[word] = totals.get(word, 0) + count
                if word not in best or (count, part) > best[word]:
                    best[word] = (count, part)
        return [CountedWord(word, total, _capitals(best[word][1])) for word, total in totals.items()]


def _parts(form: str) -> Iterator[str]:
    """The words of a run of letters and digits: itself, and the parts of an identifier such as ``DiffExecutor``."""
    if not form.isalpha():
        return
    if _is_word(form):
        yield form
    if not (form.islower() or form.isupper() or form[1:].islower()):
        yield from (part for part in _PART.findall(form) if part != form and _is_word(part))


def _is_word(form: str) -> bool:
    return (
        LEAST_LETTERS <= len(form) <= MOST_LETTERS
        and len(form.lower()) == len(form)
        and (form.isascii() or not _UNSPACED.search(form))
    )


def _capitals(form: str) -> int:
    if form.islower():
        return 0
    return sum(1 << place for place, letter in enumerate(form) if letter.isupper())
