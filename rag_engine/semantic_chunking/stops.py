"""Whether a full stop, or a mark like it, ends its sentence: the word before it, the word after it, and their case."""

from __future__ import annotations

import re

from rag_engine.semantic_chunking.abbreviations import (
    AFTER_ORDINAL,
    BEFORE_NUMBER,
    DATES,
    LEADING,
    NAME_PARTICLES,
    OPENERS,
    TITLES,
    TRAILING,
)

# Unicode's Sentence_Terminal (UAX #29) of the scripts in use, but for the three of ASCII: they end a sentence whether
# white space follows or not. With them the Tibetan shad, which ends clauses too, and the Ethiopic question mark.
UNSPACED_STOPS = (
    "\u0589\u061d-\u061f\u06d4\u0700-\u0702\u0964\u0965\u0f0d\u0f0e\u104a\u104b\u1362\u1367\u1368\u166e\u17d4\u17d5"
    "\u1803\u1809\u1c7e\u1c7f\u203c\u203d\u2047-\u2049\u3002\ua4ff\ua60e\ua60f\ua9c8\ua9c9\uaaf0\uabeb\ufe52\ufe56"
    "\ufe57\uff01\uff0e\uff1f\uff61"
)
BULLETS = "•‣⁃◦▪▫●○"
ENUMERATOR = re.compile(r"(?:\d{1,3}(?:\.\d{1,3})*|[^\W\d_]|[ivxlcIVXLC]{1,6})")
CLOSING_BRACKETS = ")]}」』）】〉》"

_LOOK_BACK = 40  # characters; no abbreviation is longer
_UNSPACED = re.compile(f"[{UNSPACED_STOPS}]")
_NOT_SPACE = re.compile(r"\S")
_OPENING_MARKS = "\"'“‘„‚«‹»({[*_"
_WORD = re.compile(rf"[{re.escape(_OPENING_MARKS)}¿¡]*+([\w&§№°-]++(?:['’.][\w-]++)*+)")
_LETTERS_AND_STOPS = re.compile(r"[^\W\d_](?:\.[^\W\d_]){1,5}")
_ELISION = re.compile(r"[^\W\d_]{1,5}['’](?=\w)")  # l'Avv., dell'Ing., d’Abb.
_VOWEL = re.compile(r"[aeiouyàáâãäåæèéêëìíîïòóôõöøœùúûüýąęėīūāēőűůěıаеёиоуыэюяіїєәөұүўαεηιουωάέήίόύώϊϋ]", re.IGNORECASE)
_LONGEST_ABBREVIATED = 5  # letters of a word without vowels that is taken for an abbreviation
_ALPHABETIC = re.compile(r"[^\W\d_\u0590-\uffff]+")  # of scripts that write vowels and have capitals
_TITLES_AND_LEADING = LEADING | TITLES
_LISTED = _TITLES_AND_LEADING | BEFORE_NUMBER | TRAILING | DATES
_DATE = re.compile(r"(?<!\d)\d{4}(?:\. ?\d{1,2}(?P<day>\. ?\d{1,2})?)?\Z")  # as in Korean: year, month, day
_HANGUL = "\u1100"  # from here on one character may be a word
_BEFORE_FACULTY = frozenset({"dr.", "prof.", "dipl."})
_NUMBER_AND_STOP = re.compile(r"\d{1,2}\.")
_SAID = re.compile(r"(?:[とをがの]|って|[^\s，。！？：、”“]{0,6}?(?:[说說问問喊叫答]|(?<!知)道))")
_ELLIPSIS = re.compile(r"…|\.[ \u00a0]?\.")


def stop_ends_sentence(text: str, sentence: int, start: int, end: int, *, without_capitals: bool) -> bool:
    """Whether the stop at ``start`` to ``end``, closing marks included, ends the sentence begun at ``sentence``.

    ``without_capitals``: the text has none, so that a small letter after a stop says nothing.
    """
    run = text[start:end]
    following = _NOT_SPACE.search(text, end)
    if following is None:
        return True
    after, next_character = following.group(), following.end()
    if _UNSPACED.search(run):
        if after in ",，、;；:：" or (run[0] == "．" and after.isdigit()):
            return False
        spoken = len(run) > 1 and following.start() == end and run[-1] in "”」』"
        return not (spoken and _SAID.match(text, end))
    if following.start() == end or after in ",;:)]}":
        return False
    if after in "–—-":  # a dash before a word opens a turn of speech, a dash set apart goes on with the sentence
        after = text[next_character : next_character + 1]
        if not after.isalnum() and after not in "¿¡«“":
            return False
    if not run.strip(";\u037e"):
        return "\u037e" in run or "\u0370" <= text[start - 1 : start] <= "\u03ff"
    bracketed = start > 0 and text[start - 1] in "[(" and run.lstrip(".!?…").startswith(("]", ")"))  # [...], (!), (?)
    if bracketed or run[0] == ";":
        return False
    if _ELLIPSIS.match(run):
        return _ellipsis_ends_sentence(text, start, run, following.start(), without_capitals=without_capitals)
    if run == "." and text[start - 1 : start].isspace():  # tokenised text sets its stops apart
        return True
    if run[0] == "." and not _word_lets_end(
        text, sentence, start, run, following.start(), without_capitals=without_capitals
    ):
        return False
    return without_capitals or not _is_small(text, after, next_character)


def _is_small(text: str, character: str, position: int) -> bool:
    """Whether a word begins small; names such as iPhone, with a capital second, do not."""
    return character.islower() and not text[position : position + 1].isupper()


def _ellipsis_ends_sentence(text: str, start: int, run: str, following: int, *, without_capitals: bool) -> bool:
    if without_capitals or _is_small(text, text[following], following + 1):
        return without_capitals and not text[start - 1 : start].isspace()
    is_pronoun = text[following] == "I" and not text[following + 1 : following + 2].isalnum()
    set_apart = text[start - 1 : start].isspace() and run.count(".") <= 3
    return not (set_apart and is_pronoun)  # English writes I with a capital anywhere


def _word_lets_end(text: str, sentence: int, stop: int, run: str, following: int, *, without_capitals: bool) -> bool:
    """Whether a single stop at ``stop`` may end a sentence after its word and before the word at ``following``."""
    before = text[max(sentence, stop - _LOOK_BACK) : stop].rsplit(None, 2)
    if not before:
        return False
    word = before[-1].lstrip(_OPENING_MARKS)
    if stop - sentence <= 8 and ENUMERATOR.fullmatch(text[sentence:stop].lstrip(BULLETS).lstrip(_OPENING_MARKS + " ")):
        return False  # "1." or "a." or "• IV." before its item
    if len(word) > _LONGEST_ABBREVIATED and word.isalpha() and word.lower() not in _LISTED:
        return True  # most words, at once
    elision = _ELISION.match(word)
    if elision and word[elision.end() :].lower() in _TITLES_AND_LEADING:
        word = word[elision.end() :]
    if len(run) > 1:
        bracketed = any(bracket in run for bracket in CLOSING_BRACKETS)
        lower = word.lower()
        return not (bracketed and (lower in LEADING or lower in TRAILING or _LETTERS_AND_STOPS.fullmatch(word)))
    if len(before) > 1 and word.islower() and before[-2].lower() in _BEFORE_FACULTY:
        return False  # "Dr. med. Meyer"
    after = _WORD.match(text, following, following + _LOOK_BACK)
    next_word = after.group(1) if after else ""
    if word.isdigit():
        return _number_lets_end(text, word, stop, following, next_word)
    if after and text.startswith(".", after.end()) and _are_parts(word, next_word):
        return False
    return _pair_lets_end(word, next_word, without_capitals=without_capitals)


def _pair_lets_end(word: str, next_word: str, *, without_capitals: bool) -> bool:
    """Whether a sentence may end between the two words: by the tables, then by the look of the first."""
    lower, next_lower, capital = word.lower(), next_word.lower(), next_word[:1].isupper()
    opens = capital and len(next_word) > 1 and next_lower in OPENERS
    if lower in LEADING or (lower in TITLES and word[:1].isupper() and not word[1:].isupper()):
        return False
    if lower in BEFORE_NUMBER and (next_word[:1].isdigit() or next_word.startswith(("§", "№")) or len(next_word) == 1):
        return False
    if lower in DATES:
        return opens or not (word[:1].isupper() or next_word[:1].isdigit())
    if len(word) == 1 and word.isalpha() and word < _HANGUL:
        return opens and next_lower not in NAME_PARTICLES
    if lower in TRAILING or _LETTERS_AND_STOPS.fullmatch(word):
        return opens
    # In a text without capitals nothing tells an acronym from an abbreviation.
    return without_capitals or opens or not _lacks_vowels(word)


def _are_parts(word: str, next_word: str) -> bool:
    """Whether both are parts of one abbreviation: "z. B." beside "z.B.", "EE. UU."."""
    if len(word) != len(next_word) or word.isupper() != next_word.isupper() or not word.isalpha():
        return False
    return len(word) == 1 or (len(word) == 2 and word.isupper())


def _lacks_vowels(word: str) -> bool:
    """Whether it is letters without a vowel, in small letters: no whole word then, and no acronym."""
    if not 2 <= len(word) <= _LONGEST_ABBREVIATED or not word[1:].islower():
        return False
    return _ALPHABETIC.fullmatch(word) is not None and _VOWEL.search(word) is None


def _number_lets_end(text: str, word: str, stop: int, following: int, next_word: str) -> bool:
    """Ordinals and dates ("3. Oktober", "2024. 3. 15. 오후") go on."""
    date = _DATE.search(text[max(0, stop - 12) : stop])
    if date and (date.group("day") or _NUMBER_AND_STOP.match(text, following)):
        return False
    return len(word) > 2 or next_word.lower() not in AFTER_ORDINAL
