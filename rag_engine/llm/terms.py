"""Words as evidence: normalised terms, names and numbers, and negation."""

from __future__ import annotations

import re
import unicodedata

# Thai, Lao, Kana and Han are written without spaces; their runs are read as overlapping pairs of characters.
_UNSPACED = r"\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+(?:[.,'’][^\W_{_UNSPACED}]+)*")
_UNSPACED_WORD = re.compile(rf"[{_UNSPACED}]")
_DIGIT = re.compile(r"\d")
_POSSESSIVE = re.compile(r"['’]s?$")
# Endings off, replacement on: a light form of steps 1a and 1b of Porter's stemmer (1980).
_ENDINGS = (
    ("ies", "i"),
    ("sses", "ss"),
    ("ing", ""),
    ("ied", "i"),
    ("ed", ""),
    ("es", ""),
    ("s", ""),
    ("e", ""),
    ("y", "i"),
)
_STOP_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
    a about after again all also am an and any are as at be because been before being between both but by can could
    did do does doing done down during each few for from further get give given had has have having he her here him
    his how i if in into is it its just know like made make many me more most much my name no not of off on once
    only or other our out over own s same she should so some such tell than that the their them then there these
    they this those through to too under until up upon us use used very was we were what when where which while who
    whom whose why will with would you your
    """,
    )
)
_NEGATION = re.compile(r"\b(?:not|never|no|none|nobody|nothing|nor|neither|without|cannot)\b|n['’]t\b", re.IGNORECASE)


def terms(text: str) -> list[str]:
    """Terms of ``text`` in order: compatibility-normalised, case folded, lightly stemmed, stop words left out.

    Numbers stay as they are. Scripts without spaces give overlapping pairs of characters.
    """
    found: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _UNSPACED_WORD.match(word):
            found.extend(word[start : start + 2] for start in range(max(1, len(word) - 1)))
        elif (bare := _POSSESSIVE.sub("", word)) not in _STOP_WORDS:
            found.append(_stem(bare))
    return found


def names(text: str) -> frozenset[str]:
    """Terms of the words that look like names (capitalised, and not the first word) or hold a digit."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text))
    return frozenset(
        term
        for position, word in enumerate(words)
        if _DIGIT.search(word) or (position and word[:1].isupper())
        for term in terms(word)
    )


def negates(text: str) -> bool:
    """Whether ``text`` holds an English negation."""
    return _NEGATION.search(text) is not None


def _stem(word: str) -> str:
    if len(word) < 4 or not (word.isascii() and word.isalpha()) or word.endswith("ss"):
        return word
    for ending, replacement in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) + len(replacement) >= 3:
            return word.removesuffix(ending) + replacement
    return word
