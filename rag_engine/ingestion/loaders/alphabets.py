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
_OTHER_SCRIPT = re.compile("[\u0370-\ufaff]")
_LEAST_COVERAGE = 0.95


def could_be_language(text: str) -> bool:
    """False for Latin text with signs inside words, accents that stand alone, or letters of no one language.

    Text that is not mostly Latin always could be.
    """
    letters = Counter(_LETTER.findall(text.lower()))
    if sum(count for letter, count in letters.items() if _OTHER_SCRIPT.match(letter)) * 2 > letters.total():
        return True
    if _BROKEN.search(text):
        return False
    covered = max(sum(count for letter, count in letters.items() if letter in alphabet) for alphabet in _ALPHABETS)
    return covered >= _LEAST_COVERAGE * letters.total()
