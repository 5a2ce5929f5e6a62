"""What of a text decides how many tokens it has: how much there is of each script and kind of character, and where one
kind ends and another begins.

All of it is counted in the bytes of UTF-8, where the first byte of a character tells its script. So a text is read by a
few calls that run in C: some ten microseconds for 4 kB.
"""

from __future__ import annotations

from collections.abc import Iterable

_KINDS = bytearray(b"c" * 256)  # control characters, and bytes that UTF-8 has not


def _kind(first: int, last: int, letter: str) -> None:
    _KINDS[first : last + 1] = letter.encode() * (last + 1 - first)


_kind(0x21, 0x7E, ".")
_kind(ord("a"), ord("z"), "a")
_kind(ord("A"), ord("Z"), "A")
_kind(ord("0"), ord("9"), "0")
_kind(0x20, 0x20, " ")
_kind(0x09, 0x09, "\t")
_kind(0x0A, 0x0A, "\n")
_kind(0x0D, 0x0D, "\n")
_kind(0x80, 0xBF, "u")  # goes on a character
_kind(0xC2, 0xC2, "2")  # signs such as § and «
_kind(0xC3, 0xC3, "l")  # letters of Western Europe
_kind(0xC4, 0xCD, "x")  # other Latin letters
_kind(0xCE, 0xCF, "g")
_kind(0xD0, 0xD3, "y")
_kind(0xD4, 0xD7, "h")
_kind(0xD8, 0xDB, "r")
_kind(0xDC, 0xDF, "o")
_kind(0xE0, 0xE0, "i")
_kind(0xE1, 0xE1, "o")
_kind(0xE2, 0xE2, "s")
_kind(0xE3, 0xE3, "k")
_kind(0xE4, 0xE9, "z")
_kind(0xEA, 0xEA, "n")
_kind(0xEB, 0xED, "n")
_kind(0xEE, 0xEF, "f")
_kind(0xF0, 0xF4, "e")

# From kinds to what words, numbers and signs are made of: L letter, N digit, P sign, S white space, O all else.
_PARTS = bytes.maketrans(b"aA0. \t\n", b"LLNPSSS")
_COARSE = bytes(_PARTS[kind] if chr(kind) in "aA0. \t\n" else ord("O") for kind in range(256))
_KINDS_TABLE = bytes(_KINDS)

# A name each and what is counted for it, in the kinds of bytes; first those that only ASCII has.
_OF_ASCII = {
    "lower_case": b"a",
    "upper_case": b"A",
    "digits": b"0",
    "signs": b".",
    "spaces": b" ",
    "tabs": b"\t",
    "line_ends": b"\n",
    "control": b"c",
    "capitals_within": b"aA",
    "long_words": b"aaaaaaaa",
}
_OF_OTHERS = {
    "latin_signs": b"2",
    "western_latin": b"l",
    "other_latin": b"x",
    "greek": b"g",
    "cyrillic": b"y",
    "armenian_hebrew": b"h",
    "arabic": b"r",
    "indic_thai": b"i",
    "rare_scripts": b"o",
    "symbols": b"s",
    "kana": b"k",
    "han": b"z",
    "hangul": b"n",
    "wide_forms": b"f",
    "emoji": b"e",
    "cyrillic_words": b" y",
    "hebrew_words": b" h",
    "arabic_words": b" r",
    "indic_words": b" i",
    "hangul_words": b" n",
}
_TIBETAN = b"\xe0\xbd"  # what stands in nearly every syllable of it
_OF_PARTS = {
    "words": b"SL",
    "words_after_signs": b"PL",
    "letters_after_digits": b"NL",
    "digits_after_letters": b"LN",
    "numbers": b"SN",
    "numbers_after_signs": b"PN",
    "sign_runs": b"SP",
    "signs_after_letters": b"LP",
}
FEATURES: tuple[str, ...] = (*_OF_ASCII, *_OF_PARTS, "foreign_letters", *_OF_OTHERS, "tibetan", "letters_among_accents")
SCRIPTS = frozenset(name for name in _OF_OTHERS if not name.endswith("_words")) | {"control", "tibetan"}
_NONE = (0,) * (len(_OF_OTHERS) + 2)

# The commonest words of English. Where they are missing, letters make more tokens: other languages, names, code.
_ENGLISH = (b" the ", b" of ", b" and ", b" to ", b" in ")
_LETTERS_AN_ENGLISH_WORD = 27
# Letters without accents near one with: those of languages that a tokenizer has seen less of.
_LETTERS_AN_ACCENT = 25
_WESTERN_LATIN, _OTHER_LATIN = (list(_OF_OTHERS).index(name) for name in ("western_latin", "other_latin"))


def utf8(text: str) -> bytes:
    """The text's bytes, halves of surrogate pairs as if they were characters."""
    return text.encode("utf-8", "surrogatepass")


def text_features(data: bytes) -> tuple[int, ...]:
    """How often each of ``FEATURES`` occurs in a text's bytes."""
    kinds = data.translate(_KINDS_TABLE)
    parts = kinds.translate(_COARSE)
    count, count_parts = kinds.count, parts.count
    english = 0
    for word in _ENGLISH:
        english += data.count(word)
    of_ascii = [*map(count, _OF_ASCII.values())]
    letters = of_ascii[0]
    if data.isascii():
        of_others: Iterable[int] = _NONE
    else:
        others = [*map(count, _OF_OTHERS.values())]
        accents = others[_WESTERN_LATIN] + others[_OTHER_LATIN]
        of_others = (*others, data.count(_TIBETAN), min(letters, _LETTERS_AN_ACCENT * accents))
    return (
        *of_ascii,
        *map(count_parts, _OF_PARTS.values()),
        max(0, letters - _LETTERS_AN_ENGLISH_WORD * english),
        *of_others,
    )
