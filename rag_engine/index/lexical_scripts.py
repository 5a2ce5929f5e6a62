"""Text as the lexical index reads it, by the script of its letters: one form for what Unicode can write in several,
and terms for scripts whose words are not between spaces.

Pairs of neighbouring characters need no dictionary, and find Chinese and Japanese about as well as words do: Nie, Gao,
Zhang and Zhou, "On the use of words and n-grams for Chinese information retrieval" (IRAL 2000). The endings of Arabic
words are the stemmer's; the articles and conjunctions before them are taken off as in Larkey, Ballesteros and Connell,
"Improving stemming for Arabic information retrieval" (SIGIR 2002). No table here maps traditional characters to
simplified ones: a text is found in the characters that it is written in.
"""

from __future__ import annotations

import re
import unicodedata

# Scripts written without spaces between words; the middle dot of Japanese (U+30FB) does part words.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]+"
)
_HANGUL = re.compile(r"[\uac00-\ud7a3]+")
_IDEOGRAPH = re.compile(r"[\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_ARABIC = re.compile(r"[\u0620-\u06ff\u0750-\u077f\u08a0-\u08ff]+")
_ARABIC_PREFIX = re.compile(r"^(?:\u0648?(?:[\u0628\u0643\u0641]?\u0627\u0644|\u0644\u0644)|\u0648)(?=.{3})")
_PERSIAN_LETTERS = str.maketrans({"\u06cc": "\u064a", "\u06a9": "\u0643", "\u0649": "\u064a", "\u0640": None})
# Invisible inside words: soft hyphen, joiners, marks of direction. Besides, the dot that a capital dotted i would
# leave, and the trade mark, whose letters would stick to the name before it.
_INVISIBLE = str.maketrans(
    {**dict.fromkeys("\u00ad\u200c\u200d\u200e\u200f\u2060\ufeff"), "\u0130": "I", "\u2122": " "}
)
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
# Marks that the tokenizer would take for the end of a word: tones, viramas, points of vowels. Vowel signs stay.
_MARKED = re.compile(
    r"[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u109f\u1780-\u17ff]"
)
_THAI_MARKS = frozenset("\u0e47\u0e4c\u0e4e")
_VOWEL_SIGNS = frozenset({0, 84, 91, 103, 118, 129, 130, 132})  # canonical combining classes
# Case and topic after Korean nouns, longest first. A noun of one syllable would be in no pair that its forms share.
_KOREAN_PARTICLES = (
    "에서는 에게서 으로는 으로서 으로써 이라고 에서 에게 으로 까지 부터 처럼 보다 하고 이나 라도 조차 마저"
)
_KOREAN_ENDINGS = (*_KOREAN_PARTICLES.split(" "), *["밖에", "께서", "이란"], *"은는이가을를의에도로와과만나")

# Scripts of one language, or of a few that one stemmer serves: that language, and a word long enough to be stemmed.
STEMMED_SCRIPTS = {
    "russian": re.compile(r"[\u0400-\u052f]{3,64}"),
    "greek": re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]{3,64}"),
    "arabic": re.compile(r"[\u0620-\u06ff\u0750-\u077f\u08a0-\u08ff]{3,64}"),
    "tamil": re.compile(r"[\u0b80-\u0bff]{3,64}"),
}


def normalised(text: str) -> str:
    """``text`` with compatibility forms, digits of all scripts, invisible characters and marks folded into one form."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text.translate(_INVISIBLE))
    text = _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit.group())), text)
    if _MARKED.search(text):
        text = "".join(c for c in text if unicodedata.combining(c) in _VOWEL_SIGNS and c not in _THAI_MARKS)
    return text


def in_terms(text: str) -> str:
    """Normalised ``text`` with spaces between the terms of scripts that have none, with Korean words in such terms too,
    and with Arabic words in Arabic letters and without what is written onto their beginning."""
    if text.isascii():
        return text
    text = _ARABIC.sub(_arabic_word, text)
    return _HANGUL.sub(_korean_terms, _UNSPACED.sub(_pairs, text))


def _pairs(match: re.Match[str]) -> str:
    """Every pair, and every ideograph: a word may be one."""
    run = match.group()
    if len(run) == 1:
        return f" {run} "
    return " " + " ".join([*(run[i : i + 2] for i in range(len(run) - 1)), *_IDEOGRAPH.findall(run)]) + " "


def _arabic_word(match: re.Match[str]) -> str:
    return _ARABIC_PREFIX.sub("", match.group().translate(_PERSIAN_LETTERS))


def _korean_terms(match: re.Match[str]) -> str:
    word = match.group()
    terms = [word[i : i + 2] for i in range(len(word) - 1)] or [word]
    ending = next((particle for particle in _KOREAN_ENDINGS if word.endswith(particle)), "")
    if len(word) - len(ending) == 1 and ending:
        terms.append(word[0])
    return " " + " ".join(terms) + " "
