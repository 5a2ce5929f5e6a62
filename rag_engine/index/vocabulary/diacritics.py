"""Words without the marks over their letters, as a keyboard without these types them."""

from __future__ import annotations

import unicodedata

_PLAIN = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "þ": "th"})
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "aa", "ø": "oe"})


def undecorated(word: str) -> str:
    """A lower-case word without marks: ``für`` as ``fur``."""
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFD", word.translate(_PLAIN))
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", plain)


def plain_forms(word: str) -> set[str]:
    """How a word that has marks is typed without: ``für`` as ``fur`` and as ``fuer``; empty for a word without any."""
    if word.isascii():
        return set()
    return {undecorated(word), undecorated(word.translate(_SPELT_OUT))} - {word}
