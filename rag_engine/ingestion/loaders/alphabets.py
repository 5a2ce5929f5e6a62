"""Whether text could be a language: bytes read in the wrong Latin encoding give letters that no one language has.

The letters are those of Unicode's Common Locale Data Repository (main exemplar characters), without ASCII.
"""

from __future__ import annotations

import re
from collections import Counter

_ALPHABETS = tuple(
    map(
        frozenset,
        (
            "äöüß",  # German
            "àâæçéèêëîïôùûüÿœ",  # French
            "áéíñóúüªº",  # Spanish
            "àáâãçéêíóôõúüªº",  # Portuguese
            "àèéìíîòóùúªº",  # Italian
            "àçèéíïòóúü",  # Catalan
            "áäéëèíïóöúü",  # Dutch
            "åæøéèóòô",  # Danish, Norwegian
            "åäöéüšž",  # Swedish, Finnish
            "áæéíðóöúýþ",  # Icelandic
            "àáèéìíòóùú",  # Irish, Gaelic
            "ąćęłńóśźż",  # Polish
            "áčďéěíňóřšťúůýž",  # Czech
            "áäčďéíĺľňóôŕšťúýž",  # Slovak
            "áéíóöőúüű",  # Hungarian
            "ćčđšž",  # Slovene, Croatian, Bosnian
            "ăâîșşțţ",  # Romanian
            "çë",  # Albanian
            "çğıöşüâîûi̇",  # Turkish
            "ąčęėįšųūž",  # Lithuanian
            "āčēģīķļņšūž",  # Latvian
            "äõöüšž",  # Estonian
        ),
    )
)
_LETTER = re.compile(r"[^\W\d_\x00-\x7fµ¹²³¼½¾]")
# A sign inside a word, or an accent that stands alone.
_BROKEN = re.compile(r"[ˇ˘˙¸˛˝]|[A-Za-zÀ-ɏ][^\w\x00-\x7f\xa0\xad·‐‑–—…‘’][A-Za-zÀ-ɏ]")
_ACCENTED_CAPITAL = re.compile(r"[a-z\xdf-\u024f](?=([\xc0-\u024f]))")
_OTHER_SCRIPT = re.compile("[\u0370-\ufaff]")
_LEAST_COVERAGE = 0.95


def could_be_language(text: str) -> bool:
    """False for Latin text with signs or capitals inside words, accents that stand alone, or a line whose letters
    belong to no one language.

    Text may be in several languages, line by line. Text that is not mostly Latin always could be.
    """
    letters = Counter(_LETTER.findall(text.lower()))
    if sum(count for letter, count in letters.items() if _OTHER_SCRIPT.match(letter)) * 2 > letters.total():
        return True
    if _BROKEN.search(text) or any(map(_has_inner_capital, _ACCENTED_CAPITAL.finditer(text))):
        return False
    if _is_one_alphabet(letters):
        return True
    # Most lines of a long text have letters that other lines had.
    lines = {frozenset(Counter(_LETTER.findall(line)).items()) for line in text.lower().splitlines()}
    return all(_is_one_alphabet(Counter(dict(line))) for line in lines)


def _is_one_alphabet(letters: Counter[str]) -> bool:
    covered = max(sum(count for letter, count in letters.items() if letter in alphabet) for alphabet in _ALPHABETS)
    return covered >= _LEAST_COVERAGE * letters.total()


def _has_inner_capital(match: re.Match[str]) -> bool:
    """Whether a letter behind a small one is a capital, as in no language's words."""
    return match[0].islower() and match[1].isupper()
