"""The words of a sentence with their places and classes: what an answer begins with, ends with and stands by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag_engine.llm.terms import terms

_TOKEN = re.compile(
    r"[$€£¥]?\d+(?:[.,:/]\d+)*(?:st|nd|rd|th|s)?(?![^\W_])%?|(?:[A-Z]\.){2,}|[^\W_]+(?:[.'’&-][^\W_]+)*|[^\s]"
)
_OWN_CLASS = re.findall(
    r"\S+",
    """
    the a an of in on at to for from by with and or as is was are were be been being has had have that which who
    whose where when because so not but it its his her their he she they this these those there about more less
    most than least over under between into through during until before after since while called named known
    such including like both all some each other also first only would could can may will did do does if then
    among within without against around approximately nearly how what why
    """,
)
_PUNCTUATION = {",": ",", ".": ".", ";": ";", ":": ":", "(": "(", ")": ")", '"': '"', "“": '"', "”": '"', "'": "'"}
_MONTHS = frozenset(
    re.findall(
        r"\S+",
        """
    january february march april may june july august september october november december
    """,
    )
)
_UNITS = frozenset(
    re.findall(
        r"\S+",
        """
    year years month months week weeks day days hour hours minute minutes second seconds century centuries
    decade decades km m cm mm kg g miles mile metres meters feet foot inches acres percent per dollars euros
    pounds people million billion thousand hundred tons tonnes degrees kilometers kilometres square barrels
    times
    """,
    )
)
_NUMBER_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
    one two three four five six seven eight nine ten eleven twelve dozen twenty thirty forty fifty sixty seventy
    eighty ninety half third quarter twice once several few
    """,
    )
)
_GENERIC = (
    "<start>", "<end>", "<punctuation>", "<year>", "<number>", "<month>", "<number word>", "<unit>", "<Name>",
    "<First>", "<ed>", "<ing>", "<ly>", "<s>", "<word>",
)  # fmt: skip
CLASSES: dict[str, int] = {
    name: number for number, name in enumerate((*_GENERIC, *dict.fromkeys(_PUNCTUATION.values()), *_OWN_CLASS))
}
START, END = CLASSES["<start>"], CLASSES["<end>"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or a mark of punctuation: characters of its sentence, its class and its terms."""

    text: str
    start: int
    end: int
    kind: int
    terms: tuple[str, ...]

    @property
    def is_word(self) -> bool:
        """False for punctuation."""
        return self.text[0].isalnum() or len(self.text) > 1


def words_of(sentence: str) -> list[Word]:
    """The words and marks of a sentence, in order."""
    found: list[Word] = []
    for match in _TOKEN.finditer(sentence):
        text = match.group()
        found.append(Word(text, match.start(), match.end(), CLASSES[_class(text, first=not found)], tuple(terms(text))))
    return found


def _class(text: str, *, first: bool) -> str:
    folded = text.casefold()
    if len(text) == 1 and not text.isalnum():
        return _PUNCTUATION.get(text, "<punctuation>")
    if text[0].isdigit() or text[0] in "$€£¥":
        return "<year>" if text.isdigit() and len(text) == 4 and text[0] in "12" else "<number>"
    if folded in _MONTHS and text[0].isupper():
        return "<month>"
    if folded in CLASSES:
        return folded
    if folded in _UNITS:
        return "<unit>"
    if folded in _NUMBER_WORDS:
        return "<number word>"
    if text[0].isupper():
        return "<First>" if first else "<Name>"
    return next((f"<{ending}>" for ending in ("ed", "ing", "ly", "s") if folded.endswith(ending)), "<word>")


def spans_of(words: Sequence[Word], *, most: int) -> list[tuple[int, int]]:
    """Runs of words that may be an answer, as (first, last) places, both inclusive, ``most`` words and marks at most.

    None begins or ends with punctuation, or ends with a word that leads on to another.
    """
    places = []
    for first, opening in enumerate(words):
        if not opening.is_word or opening.kind in _NEVER_FIRST:
            continue
        for last in range(first, min(first + most, len(words))):
            closing = words[last]
            if closing.text in ';“”"':
                break
            if closing.is_word and closing.kind not in _NEVER_LAST:
                places.append((first, last))
    return places


_NEVER_FIRST = frozenset(
    CLASSES[word]
    for word in re.findall(
        r"\S+",
        """
    of and or that which who whose is was are were has had have
    """,
    )
)
_NEVER_LAST = frozenset(
    CLASSES[word]
    for word in re.findall(
        r"\S+",
        """
    the a an of in on at to for from by with and or as is was are were be been being has had have that which who
    whose where when because so not but its his her their this these those than between into through during
    called named known such including like would could can may will did do does if then among within without
    against how what why
    """,
    )
)
