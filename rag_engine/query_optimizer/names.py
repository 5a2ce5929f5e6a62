"""Names in a text: capitalised words that follow each other, quoted phrases, numbers. What a question must not lose,
and what a passage may lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = re.compile(r"[^\W_]+(?:['’.&/\-–][^\W_]+)*")
_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]{2,200})[\"”“»]|(?<!\w)['‘]([^'’‘]{2,200})['’](?!\w)")
_NUMBER = re.compile(r"\d[\d.,:/\-]*")
# A word of an identifier's form: with a digit, an underscore, or a capital within.
_IDENTIFIER = re.compile(r"\b(?=\w*[\d_]|\w*[a-z][A-Z])\w{2,}")
NEGATION = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|nor|neither|without|cannot|except|excluding|unless|but)\b|n['’]t\b"
    r"|\b(?:nicht|kein\w*|nie|ohne|außer|pas|sans|jamais|sauf|sin|excepto|nunca|non|senza|tranne)\b",
    re.IGNORECASE,
)
# Lower-case words that stand within names.
_WITHIN = {
    "of", "the", "and", "de", "la", "le", "von", "van", "der", "den", "in", "on", "at", "for", "to", "a", "an", "du",
    "di", "da", "del", "with", "from", "y", "und", "et",
}  # fmt: skip
_MOST_WORDS = 7
_LOOKED_BACK = 8  # characters before a word that may tell that a sentence begins with it
_NAME_ENDS = re.compile(r"[;:?!()\"“”«»\n\t,]|\.\s")
# Words in capitals up to a colon, as in "METHODS AND RESULTS: ...".
_LABEL = re.compile(r"\b[^\W\d_a-z]+(?:\s[^\W\d_a-z]+){0,5}:")
_FIRST_PERSON = re.compile(r"I(?:['’]\w+)?$")
# Capitalised in English wherever they stand, and names of nothing that a document would be about.
_CALENDAR = {
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
}  # fmt: skip


def names(text: str) -> dict[str, int]:
    """Names with the character where each first begins: every run of capitalised words, and every part of a run that
    could be a name by itself. A capital at the beginning of a sentence says nothing, nor does a label in capitals."""
    found: dict[str, int] = {}
    text = _LABEL.sub(lambda label: ";" * len(label[0]) if label[0].isupper() else label[0], text)
    words = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]
    for first, (word, start, _) in enumerate(words):
        if not (word[0].isupper() or word[0].isdigit()) or _FIRST_PERSON.match(word):
            continue
        alone = word[0].isupper() and len(word) > 2 and word not in _CALENDAR and not _begins_sentence(text, start)
        for last in range(first, min(len(words), first + _MOST_WORDS)):
            if last > first and not _goes_on(text, words[last - 1], words[last][1]):
                break
            following = words[last][0]
            if following[0].isdigit() and last > first and words[last - 1][0].lower() in _WITHIN:
                break  # "London in 2014" is two things
            if not (following[0].isupper() or following[0].isdigit()):
                if following.lower() in _WITHIN:
                    continue
                break
            end = words[last][2]
            name = text[start:end]
            if last == first and not alone:
                continue
            found.setdefault(name, start)
            if text[end : end + 1] == ".":
                found.setdefault(name + ".", start)
    return found


def _goes_on(text: str, before: tuple[str, int, int], start: int) -> bool:
    """Whether nothing between a word and the next one ends a name: the full stop of an initial does not."""
    word, _, end = before
    initial = len(word) == 1 and word.isupper() and text[end:start] in (". ", ".")
    return initial or _NAME_ENDS.search(text, end, start) is None


def _begins_sentence(text: str, position: int) -> bool:
    between = text[max(0, position - _LOOKED_BACK) : position]
    before = between.rstrip()
    return not before or before[-1] in ".?!:" or "\n" in between[len(before) :]


def longest(found: dict[str, int]) -> list[str]:
    """Those of the names that do not lie within a longer one among them, in order of their beginning."""
    kept: list[str] = []
    reached = -1
    for name, start in sorted(found.items(), key=lambda entry: (entry[1], -len(entry[0]))):
        if start + len(name) > reached:
            kept.append(name)
            reached = start + len(name)
    return kept


def quoted(text: str) -> list[str]:
    """What stands in quotation marks."""
    return [first or second for first, second in _QUOTED.findall(text)]


def protected(text: str) -> Iterator[str]:
    """What must not get lost when a question is made shorter: names, quoted phrases, numbers, identifiers, negation."""
    yield from longest(names(text))
    yield from quoted(text)
    for pattern in (_NUMBER, _IDENTIFIER, NEGATION):
        yield from (match.group() for match in pattern.finditer(text))


def words_of(text: str) -> list[str]:
    """The words of a text, case folded."""
    return [word.casefold() for word in _WORD.findall(text)]
