"""Questions that a sentence answers, made from the sentence's own words: no model writes them.

The forms with a question word are cloze questions (Taylor, 1953) turned round as a person would ask them; they read
English. The others, rare words and a part of the sentence, know no language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class QuestionKind(StrEnum):
    """How a question was made."""

    HEADING = "heading"
    DEFINITION = "definition"
    TIME = "time"
    NUMBER = "number"
    NAME = "name"
    PLACE = "place"
    REASON = "reason"
    MEANS = "means"
    KEYWORDS = "keywords"
    FRAGMENT = "fragment"


@dataclass(frozen=True, slots=True)
class SentenceQuestion:
    """A question and what of its sentence answers it: characters of the sentence, 0-based, end exclusive."""

    kind: QuestionKind
    text: str
    start: int
    end: int


Rarity = Callable[[str], float]

# Scripts without spaces are read by the character.
UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+(?:[-'’.,][^\W_{UNSPACED}]+)*")
UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]")
_UNSPACED_RUN = re.compile(rf"[{UNSPACED}]{{6,}}")
_FUNCTION = frozenset(
    re.findall(
        r"\S+",
        "a an the of and or in on at to for from by with as is are was were be been has have had it its this that "
        "which who not but also can may will would than then their his her they he she we you i",
    )
)
# What a sentence says of these it says of another sentence's subject: asked alone, nobody knows of what.
_UNSAID = re.compile(
    r"(?:it|its|he|his|she|her|they|their|this|that|these|those|there|here|such|both|we|our|i|my|you|your|one|some"
    r"|others?|however|but|and|or|so|then|thus|also|while|although|if|when|as|for example|the latter|the former)\b",
    re.IGNORECASE,
)
_AUXILIARY = r"is|are|was|were|has|have|had|can|could|may|must|will|would|should"
_INVERTED = re.compile(rf"(?P<subject>\S+(?: \S+){{0,5}}?) (?P<verb>{_AUXILIARY}) (?P<rest>\S.*)")
_PARENTHESIS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_TIME = re.compile(
    rf"\b(?:in|on|since|until|by|from|during|around|after|before) "
    rf"(?P<answer>(?:the |early |late |mid-)*(?:{_MONTH} \d{{1,2}}, \d{{4}}|(?:\d{{1,2}} )?{_MONTH}(?: \d{{4}})?"
    rf"|1\d{{3}}s?|20\d\ds?|\d{{1,2}}(?:st|nd|rd|th) century))\b"
)
_COUNT = (
    r"\d[\d.,]*(?: (?:million|billion|thousand))?|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    r"twenty|thirty|forty|fifty|hundred"
)
_NUMBER = re.compile(rf"\b(?P<answer>{_COUNT}) (?P<noun>(?:[a-z]+ )?[a-z]{{3,}}s)\b")
_NAME = r"[A-Z][\w'’.-]*(?: (?:(?:of|de|von|van|al|the) )?[A-Z][\w'’.-]*)*"
_ACTOR = re.compile(
    rf"(?P<answer>(?!The |A |An )(?:{_NAME})) (?P<rest>[a-z]+(?:ed|s|ote|ew|an|on|ade|elt|ook|ave) \S.*)"
)
_BY_ACTOR = re.compile(
    rf"(?P<subject>\S+(?: \S+){{0,6}}?) (?:was|were|is|are) (?P<verb>[a-z]+ed) by (?P<answer>(?:the )?{_NAME})"
)
_PLACE = re.compile(rf"\b(?:in|at|near) (?P<answer>(?!{_MONTH})(?:the )?{_NAME})")
_REASON = re.compile(r",? (?P<answer>(?:because|due to|since it|in order to) \S.*)")
_MEANS = re.compile(r" (?P<answer>by [a-z]+ing \S.*)")
_DEFINED = re.compile(
    r"(?P<subject>\S+(?: \S+){0,4}?) (?P<verb>is|are|was|were) (?P<answer>(?:an?|the|one of|any|defined as) \S.*)"
)
MOST_WORDS = 13  # of a question; whoever asks does not recite the document
LEAST_WORDS = 3  # that are no function words: fewer ask about too much
KEYWORDS = (3, 6)


def words(text: str) -> list[str]:
    """Words of ``text`` in order, case folded; characters where a script has no spaces."""
    return [word.casefold() for word in _WORD.findall(text)]


def content_words(text: str) -> list[str]:
    """The words that are no English function words."""
    return [word for word in words(text) if word not in _FUNCTION]


def is_english(text: str) -> bool:
    """Whether two of its words, and one of seven, are English function words."""
    found = words(text)
    functional = sum(word in _FUNCTION for word in found)
    return functional >= 2 and functional * 7 >= len(found)


def entities(text: str) -> list[str]:
    """Names of several capitals and numbers of several digits, as they stand; none at the beginning of the text."""
    return [
        match.group()
        for match in re.finditer(rf"{_NAME}|\b\d[\d.,]*\d\b", text)
        if match.start() and len(match.group()) > 2
    ]


def sentence_questions(sentence: str, *, rarity: Rarity, random: Random) -> list[SentenceQuestion]:
    """Every question that can be made of ``sentence``, at most one of each kind.

    ``rarity`` says how rare a case-folded word is in the corpus; only the choice of keywords draws on ``random``.
    """
    sentence = sentence.rstrip()
    found: list[SentenceQuestion] = []
    if is_english(sentence) and not _UNSAID.match(sentence):
        for kind, form in _FORMS.items():
            made = form(sentence)
            if made is not None and _asks_enough(made[0]):
                found.append(SentenceQuestion(kind, _tidied(made[0]), *made[1]))
    found += _keywords(sentence, rarity, random)
    found += _fragment(sentence, random)
    return [question for question in found if question.text.casefold() != sentence.casefold()]


_Made = tuple[str, tuple[int, int]] | None


def _time(sentence: str) -> _Made:
    match = _TIME.search(sentence)
    return match and (f"when {_without(sentence, match.span())}", match.span("answer"))


def _number(sentence: str) -> _Made:
    match = _NUMBER.search(sentence)
    return match and (f"how many {match['noun']} {_without(sentence, match.span())}", match.span("answer"))


def _name(sentence: str) -> _Made:
    passive = _BY_ACTOR.match(sentence)
    if passive:
        return f"who {passive['verb']} {_lowered(passive['subject'])}", passive.span("answer")
    match = _ACTOR.match(sentence)
    if match is None or " " not in match["answer"]:
        return None  # one capital may be the sentence's own
    return f"who {_clause(match['rest'])}", match.span("answer")


def _place(sentence: str) -> _Made:
    match = _PLACE.search(sentence)
    return match and (f"where {_without(sentence, match.span())}", match.span("answer"))


def _reason(sentence: str) -> _Made:
    match = _REASON.search(sentence)
    return match and (f"why {_turned(_clause(sentence[: match.start()]))}", match.span("answer"))


def _means(sentence: str) -> _Made:
    match = _MEANS.search(sentence)
    return match and (f"how {_turned(_clause(sentence[: match.start()]))}", match.span("answer"))


def _definition(sentence: str) -> _Made:
    bare = _PARENTHESIS.sub("", sentence)
    match = _DEFINED.match(bare)
    if match is None or len(match["answer"].split()) < 4:
        return None
    start = sentence.find(match["answer"][:12])
    return f"what {match['verb']} {_lowered(match['subject'])}", (max(start, 0), len(sentence))


_FORMS: Mapping[QuestionKind, Callable[[str], _Made]] = {
    QuestionKind.DEFINITION: _definition,
    QuestionKind.TIME: _time,
    QuestionKind.NUMBER: _number,
    QuestionKind.NAME: _name,
    QuestionKind.PLACE: _place,
    QuestionKind.REASON: _reason,
    QuestionKind.MEANS: _means,
}


def _keywords(sentence: str, rarity: Rarity, random: Random) -> list[SentenceQuestion]:
    """Some of the rarer words, in their order: what people type into a search box."""
    if _UNSPACED_RUN.search(sentence):
        return []
    found = [word for word in dict.fromkeys(content_words(sentence)) if len(word) > 2]
    if len(found) < LEAST_WORDS + 2:
        return []
    rarest = sorted(found, key=lambda word: (-rarity(word), word))[: KEYWORDS[1] + 2]
    kept = set(random.sample(rarest, k=min(len(rarest), random.randint(*KEYWORDS))))
    text = " ".join(word for word in found if word in kept)
    return [SentenceQuestion(QuestionKind.KEYWORDS, text, 0, len(sentence))]


def _fragment(sentence: str, random: Random) -> list[SentenceQuestion]:
    """A part of the sentence; of several words some are left out."""
    run = _UNSPACED_RUN.search(sentence)
    if run:
        length = min(len(run.group()), random.randint(6, 14))
        start = run.start() + random.randint(0, len(run.group()) - length)
        return [SentenceQuestion(QuestionKind.FRAGMENT, sentence[start : start + length], 0, len(sentence))]
    found = sentence.split()
    if len(found) < 8 or _UNSAID.match(sentence):
        return []
    length = random.randint(6, min(len(found), 11))
    first = random.randint(0, len(found) - length)
    part = [word for word in found[first : first + length] if random.random() > 0.2]
    text = _tidied(" ".join(part))
    return [SentenceQuestion(QuestionKind.FRAGMENT, text, 0, len(sentence))] if _asks_enough(text) else []


def _without(sentence: str, span: tuple[int, int]) -> str:
    """The clause around ``span``, turned as a question turns it, without what the span says."""
    return _turned(_clause(f"{sentence[: span[0]].rstrip()} {sentence[span[1] :].lstrip()}"))


def _clause(text: str) -> str:
    """The first part of ``text`` that says something by itself, without what stands in brackets."""
    text = _PARENTHESIS.sub("", text).strip(" ,;:.")
    parts = re.split(r"[,;:] ", text)
    clause = next((part for part in parts if len(content_words(part)) > LEAST_WORDS), text)
    return " ".join(clause.split()[: MOST_WORDS - 2])


def _turned(clause: str) -> str:
    """``was the bridge built`` for ``the bridge was built``."""
    match = _INVERTED.match(clause)
    return f"{match['verb']} {_lowered(match['subject'])} {match['rest']}" if match else _lowered(clause)


def _lowered(text: str) -> str:
    """The sentence's first word as it would stand within one: a function word begins small."""
    first, _, rest = text.partition(" ")
    return f"{first.lower()} {rest}".strip() if first.lower() in _FUNCTION else text


def _asks_enough(question: str) -> bool:
    return len(set(content_words(question)) - {"what", "when", "where", "how", "why", "who", "many"}) >= (
        1 if question.startswith("what ") else LEAST_WORDS
    )


def _tidied(text: str) -> str:
    return " ".join(text.split()[:MOST_WORDS]).strip(" ,;:.!?\"'()[]")
