"""Yes or no: said only where one sentence settles it, by its negation, an opposite word or another number."""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import pairwise

from rag_engine.llm.answer_kinds import AnswerKind
from rag_engine.llm.antonyms import opposed, stems
from rag_engine.llm.asked import Asked
from rag_engine.llm.terms import negates, terms
from rag_engine.llm.words import Word, words_of

# A sentence that says it under a condition, or perhaps, settles nothing.
_UNSETTLED = re.compile(
    r"\b(?:if|unless|except|may|might|could|would|should|perhaps|possibly|probably|sometimes|some|often|only|partly|"
    r"almost|nearly|hardly|rarely|seldom|believed|claimed|alleged|alleges|claims|believes|reportedly|supposed|rumou?r)\b"
    r"|\?\s*$",
    re.IGNORECASE,
)
# What stands behind these may be denied of something else.
_TURNS = frozenset(["but", "although", "though", "while", "whereas", "however", ";"])
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# A negation so many words before the first that is asked about still speaks of it: "it is not the case that".
_REACH = 4
# A question of fewer words says too little to be settled by a sentence that has them.
_FEWEST = 2


class Polarity(StrEnum):
    """What a question for yes or no is answered."""

    YES = "Yes"
    NO = "No"


def polarity(asked: Asked, sentence: str) -> Polarity | None:
    """What ``sentence`` says to a question for yes or no; None where it does not settle it, or none was asked.

    Every word of the question must stand in it, or its opposite, or another number of the same thing.
    """
    if asked.kind is not AnswerKind.POLAR or len(asked.terms) < _FEWEST or _UNSETTLED.search(sentence):
        return None
    if asked.negated:
        return None  # "is it not open?": yes and no mean either to different readers
    words = words_of(sentence)
    said = {term for word in words for term in word.terms}
    turned = bool(_contradicted(asked, sentence, words))
    missing = {term for term in asked.terms if term not in said}
    missing -= _contradicted(asked, sentence, words) | opposed(stems(asked.text), stems(sentence))
    if missing:
        return None
    turned ^= len(opposed(stems(asked.text), stems(sentence))) % 2 == 1
    match _negated(words, asked):
        case None:
            return None
        case negated:
            turned ^= negated
    return Polarity.NO if turned else Polarity.YES


def _contradicted(asked: Asked, sentence: str, words: list[Word]) -> set[str]:
    """Numbers of the question that the sentence does not hold, while it holds another of the same thing."""
    found = set()
    for match in _NUMBER.finditer(asked.text):
        number, behind = match.group(), terms(asked.text[match.end() :])[:1]
        if not behind or number in {word.text for word in words}:
            continue
        others = [
            word
            for word, following in pairwise(words)
            if _NUMBER.fullmatch(word.text) and following.terms and following.terms[0] == behind[0]
        ]
        if len(others) == 1 and len(_NUMBER.findall(sentence)) == 1:
            found.update(terms(number))
    return found


def _negated(words: list[Word], asked: Asked) -> bool | None:
    """Whether what is asked about is denied; None where something else in the sentence is."""
    matched = [place for place, word in enumerate(words) if asked.terms.intersection(word.terms)]
    denying = [place for place, word in enumerate(words) if negates(word.text)]
    if not denying or not matched:
        return False
    if any(word.text.casefold() in _TURNS for word in words):
        return None
    if len(denying) == 1 and matched[0] - _REACH <= denying[0] <= matched[-1]:
        return True
    # "no key and no network": each of two denials has what it denies behind it.
    if all(place + 1 < len(words) and asked.terms.intersection(words[place + 1].terms) for place in denying[:1]):
        return True
    return None
