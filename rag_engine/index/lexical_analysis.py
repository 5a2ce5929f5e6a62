"""The terms of a text in any language: what is indexed of a chunk, and what is asked for a question.

Nothing says which language a text is in, so a word is taken by its script, and a text in Latin letters by its function
words. English is what remains: its chain of filters runs over everything at last, so a word of another language is
stemmed by that language first and then by English, on both sides alike. Figures: the rows quality/xquad_*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial

import tantivy

from rag_engine.index.lexical_languages import COMPOUNDING, function_words, language_of
from rag_engine.index.lexical_scripts import STEMMED_SCRIPTS, in_terms, normalised

BODY, PARTS = "body", "parts"  # fields
LONGEST_WORD = 64
# What the ends of a compound count for, and the parts of one that is asked for: measured on quality/xquad_de.
PART_WEIGHT, SPLIT_WEIGHT = 0.2, 0.4
# What a stem counts for in a language that neither the question nor many chunks speak for.
FAINT_WEIGHT = 0.1
_LEAST_PART = 4
# A language in which this share of the chunks is may be a question's that says little of its own.
USUAL_SHARE = 0.1
_COMPOUND = re.compile(r"[^\W\d_]{11,64}")
# What may stand between the parts of a compound, German and its neighbours.
_LINKS = ("", "s", "es", "n", "en", "er", "e")
# Snowball's lists of stop words; the others' function words must do.
_WITH_STOP_WORDS = {"danish", "dutch", "finnish", "french", "german", "hungarian", "italian", "norwegian"}
_WITH_STOP_WORDS |= {"portuguese", "russian", "spanish", "swedish"}
# People ask for "the diff executor" where the text says DiffExecutor: see quality/anthropic_code_chunks-lexical.
_HUMP, _ASCII_HUMP = re.compile(r"[^\W\d_A-Z][A-Z]"), re.compile(r"[a-z][A-Z]")
_CAMEL_CASE = re.compile(r"\b\w*[^\W\d_A-Z][A-Z]\w*")
_CAMEL_CASE_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")


@dataclass(frozen=True, slots=True)
class Spelling:
    """A text for the index: ``words`` and ``parts`` of compounds, both for the analyser to cut into terms, and the
    language whose stems they are; None is English and whatever cannot be told."""

    words: str
    parts: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True)
class AskedTerm:
    """A term to look up in ``field``, and what its BM25 score is multiplied by."""

    term: str
    weight: float = 1.0
    field: str = BODY


@dataclass(frozen=True, slots=True)
class IndexedTerms:
    """What a question may ask of the index: which share of its chunks is in which language other than English, in how
    many chunks a term of a field is, and a few terms that begin as a given one does."""

    languages: Mapping[str, float]
    frequency: Callable[[str, str], int]
    beginning_with: Callable[[str], Iterable[str]]


@cache
def analyser() -> tantivy.TextAnalyzer:
    """The chain that every text goes through at last: English stems and stop words, accents folded."""
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(LONGEST_WORD))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stopword("english"))
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


@cache
def _stemmer(language: str) -> tantivy.TextAnalyzer:
    return _small_words().filter(tantivy.Filter.stemmer(language)).build()


@cache
def _content_words(language: str) -> tantivy.TextAnalyzer:
    words = _small_words()
    return (words.filter(tantivy.Filter.stopword(language)) if language in _WITH_STOP_WORDS else words).build()


def _small_words() -> tantivy.TextAnalyzerBuilder:
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(LONGEST_WORD))
        .filter(tantivy.Filter.lowercase())
    )


def spelled_out(text: str) -> Spelling:
    """``text`` with more words to be found by, and with those of a language other than English as their stems."""
    language = language_of(text)
    text = _by_script(text)
    if language is None:
        return Spelling(text)
    words = " ".join(_stemmer(language).analyze(text))
    return Spelling(words, _ends_of_compounds(text, language) if language in COMPOUNDING else "", language)


def asked_terms(text: str, index: IndexedTerms) -> list[AskedTerm]:
    """What to look up for a question; each term once.

    A word is asked for as each language of the index would have it: a question is often too short to tell its own, and
    may be about a text in another. Where its language is told, its stop words are left out.
    """
    text = _by_script(text)
    chain = analyser()
    if not index.languages:
        return [AskedTerm(term) for term in dict.fromkeys(chain.analyze(text))]
    usual = _usual(index)
    spoken = _spoken(text, index)
    if spoken is not None:
        content = [word for word in _content_words(spoken).analyze(text) if word not in function_words(spoken)]
        text = " ".join(content) or text
    likely = set(usual if spoken is None else [spoken])
    asked = dict.fromkeys(chain.analyze(text), 1.0)
    for language in sorted(likely):
        asked.update(dict.fromkeys(_terms(text, language), 1.0))
    unknown = [word for word in _words(text) if not any(index.frequency(BODY, term) for term in chain.analyze(word))]
    for language in sorted(set(index.languages) - likely):
        # A stem of a language that is hardly there is more often that of another word.
        asked = {**dict.fromkeys(_terms(text, language), FAINT_WEIGHT), **asked}
        asked.update(dict.fromkeys(_terms(" ".join(unknown), language), 1.0))
    parts: dict[str, float] = {}
    for language in sorted(COMPOUNDING.intersection(index.languages)):
        for term in _terms(text if language in likely else " ".join(unknown), language):
            if len(term) >= _LEAST_PART:
                parts[term] = PART_WEIGHT
                if not index.frequency(BODY, term):
                    asked.update({longer: PART_WEIGHT for longer in index.beginning_with(term) if longer not in asked})
        for word in _COMPOUND.findall(text) if language in likely else ():
            split = _split(word.lower(), language, index)
            asked.update({term: SPLIT_WEIGHT for term in split if term not in asked})
    return [
        *(AskedTerm(term, weight) for term, weight in asked.items()),
        *(AskedTerm(term, weight, PARTS) for term, weight in sorted(parts.items())),
    ]


def _words(text: str) -> list[str]:
    words: list[str] = _content_words("").analyze(text)
    return words


def in_english(text: str, index: IndexedTerms) -> bool:
    """False where a question is told to be in another language of the index, or most of its letters are not Latin."""
    letters = [c for c in text if c.isalpha()]
    return sum(c >= "\u0370" for c in letters) * 2 <= len(letters) and _spoken(text, index) is None


def _usual(index: IndexedTerms) -> list[str]:
    return [language for language, share in index.languages.items() if share >= USUAL_SHARE]


def _spoken(question: str, index: IndexedTerms) -> str | None:
    if not index.languages:
        return None
    return language_of(question, among=_usual(index), least=1) or language_of(question, among=index.languages)


def _terms(words: str, language: str) -> list[str]:
    terms: list[str] = analyser().analyze(" ".join(_stemmer(language).analyze(words)))
    return terms


def _by_script(text: str) -> str:
    if text.isascii():
        camel = _ASCII_HUMP.search(text)
    else:
        text = in_terms(normalised(text))
        for language, script in STEMMED_SCRIPTS.items():
            if script.search(text):
                text = script.sub(partial(_stemmed, _stemmer(language)), text)
        camel = _HUMP.search(text)
    return _CAMEL_CASE.sub(_with_parts, text) if camel else text


def _stemmed(stemmer: tantivy.TextAnalyzer, match: re.Match[str]) -> str:
    return " ".join(stemmer.analyze(match.group()))


def _with_parts(match: re.Match[str]) -> str:
    return f"{match.group()} {' '.join(_CAMEL_CASE_PARTS.findall(match.group()))}"


def _ends_of_compounds(text: str, language: str) -> str:
    """Every end of a long word that may be a word, as its stem. A compound is of the kind that its end names, so this
    is where one is looked for by a part; its beginnings, measured, found more that is beside the point."""
    ends = " ".join(
        word[cut:] for word in _COMPOUND.findall(text) for cut in range(_LEAST_PART, len(word) - _LEAST_PART + 1)
    )
    return " ".join(_stemmer(language).analyze(ends))


def _split(compound: str, language: str, index: IndexedTerms) -> tuple[str, ...]:
    """The two words of the index that make up a compound: of all pairs that do, the one that is in the most chunks, by
    the geometric mean of its two (Koehn and Knight, "Empirical methods for compound splitting", EACL 2003); or none."""
    best: tuple[str, ...] = ()
    most = 0
    for cut in range(_LEAST_PART, len(compound) - _LEAST_PART + 1):
        end = _known(compound[cut:], language, index)
        if end is None:
            continue
        for link in _LINKS:
            begin = compound[:cut].removesuffix(link)
            if len(begin) < _LEAST_PART or len(begin) + len(link) != cut:
                continue
            start = _known(begin, language, index)
            if start is not None and start[1] * end[1] > most:
                best, most = (start[0], end[0]), start[1] * end[1]
    return best


def _known(word: str, language: str, index: IndexedTerms) -> tuple[str, int] | None:
    terms = _terms(word, language)
    frequency = index.frequency(BODY, terms[0]) if len(terms) == 1 else 0
    return (terms[0], frequency) if frequency else None
