"""What a question asks for, as far as its words say: a person, a date, a number, a reason, yes or no, and so on.

The patterns are English; a question in another language is OTHER, and nothing is concluded from its kind. The kinds
are the coarse classes of Li and Roth (2002), with those added that decide the form of an answer.
"""

from __future__ import annotations

import re
from collections.abc import Set
from enum import StrEnum

from rag_engine.llm.terms import names, terms


class AnswerKind(StrEnum):
    """What kind of thing a question asks for."""

    PERSON = "person"
    PLACE = "place"
    ORGANISATION = "organisation"
    DATE = "date"
    DURATION = "duration"
    QUANTITY = "quantity"
    NUMBER = "number"
    THING = "thing"
    LIST = "list"
    DEFINITION = "definition"
    REASON = "reason"
    MANNER = "manner"
    ACCOUNT = "account"
    POLAR = "polar"
    CHOICE = "choice"
    OTHER = "other"


# A few words answer these.
FACTS = frozenset(
    {
        AnswerKind.PERSON,
        AnswerKind.PLACE,
        AnswerKind.ORGANISATION,
        AnswerKind.DATE,
        AnswerKind.DURATION,
        AnswerKind.QUANTITY,
        AnswerKind.NUMBER,
        AnswerKind.THING,
        AnswerKind.CHOICE,
    }
)
# One sentence is often too little for these.
BROAD = frozenset({AnswerKind.LIST, AnswerKind.DEFINITION, AnswerKind.REASON, AnswerKind.MANNER, AnswerKind.ACCOUNT})

_AUXILIARY = (
    r"(?:is|are|was|were|am|do|does|did|can|could|has|have|had|will|would|shall|should|may|might|must|"
    r"isn['’]t|aren['’]t|wasn['’]t|weren['’]t|don['’]t|doesn['’]t|didn['’]t|can['’]t|won['’]t)"
)
_OF_PERSONS = (
    r"(?:person|man|woman|king|queen|president|author|writer|poet|leader|scientist|artist|player|quarterback|actor|"
    r"actress|singer|emperor|minister|director|philosopher|general|pope|coach|founder|inventor|architect|composer)"
)
_OF_PLACES = (
    r"(?:city|cities|country|countries|state|states|river|town|place|region|continent|county|province|location|area|"
    r"island|village|street|district|neighbou?rhood|ocean|sea|mountain|stadium|capital)"
)
_OF_ORGANISATIONS = (
    r"(?:company|companies|organi[sz]ation|team|agency|university|school|college|party|group|band|institution|bank|"
    r"network|corporation|firm|club|league|church|museum|newspaper|station|studio)"
)
_OF_DATES = r"(?:year|years|date|day|month|century|decade|time|era|season)"
# The first pattern found says the kind.
_PATTERNS: tuple[tuple[AnswerKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (AnswerKind.CHOICE, rf"^(?:{_AUXILIARY}|which|what|who)\b.*\w,? or \w"),
        (AnswerKind.POLAR, rf"^{_AUXILIARY}\b"),
        (
            AnswerKind.ACCOUNT,
            r"^(?:please )?(?:explain|describe|summari[sz]e|compare|discuss|outline|tell me about)\b"
            r"|\b(?:differences? between|summary of|overview of|(?:dis)?advantages of|pros and cons)\b",
        ),
        (
            AnswerKind.REASON,
            r"\bwhy\b|\bhow come\b|\bwhat (?:\w+ )?(?:caused|causes|reason|reasons|led to|motivated)\b"
            r"|\bfor what (?:reason|purpose)\b|\bwhat (?:is|was|were|are) the (?:\w+ )?(?:reasons?|purpose|causes?)\b",
        ),
        (
            AnswerKind.DURATION,
            r"\bhow long (?:ago|did|does|do|has|have|had|will|was|were|can|may|until|after|before)\b"
            r"|\b(?:for|within|in) how many (?:years|months|days|weeks|hours|minutes|seconds)\b",
        ),
        (
            AnswerKind.QUANTITY,
            r"\bhow (?:much|long|far|old|tall|large|big|fast|high|deep|wide|heavy|hot|cold|often)\b"
            r"|\bwhat (?:is|was|are|were) the (?:\w+ )?(?:height|length|size|weight|distance|speed|age|price|cost|"
            r"temperature|area|width|depth)\b",
        ),
        (
            AnswerKind.NUMBER,
            r"\bhow many\b|\b(?:what|which) (?:\w+ )?(?:percent\w*|number|amount|population|share|proportion)\b"
            r"|\bwhat (?:is|was|are|were) the (?:\w+ )?(?:number|population|percent\w*|amount|share)\b",
        ),
        (
            AnswerKind.DATE,
            rf"\bwhen\b|\b(?:what|which) (?:\w+ )?{_OF_DATES}\b|\bwhat (?:is|was) the (?:\w+ )?(?:date|year)\b",
        ),
        (
            AnswerKind.LIST,
            r"^(?:list|name)\b|\bwhat (?:are|were) (?:the|some|two|three|four|five|all)\b"
            r"|\b(?:what|which) (?:\w+ )?(?:types|kinds|examples|countries|states|cities|factors|parts|things|two|three"
            r"|four|five)\b",
        ),
        (AnswerKind.PERSON, rf"\b(?:who|whom|whose)\b|\b(?:what|which) (?:\w+ )?{_OF_PERSONS}\b"),
        (AnswerKind.PLACE, rf"\bwhere\b|\b(?:what|which) (?:\w+ )?{_OF_PLACES}\b"),
        (AnswerKind.ORGANISATION, rf"\b(?:what|which) (?:\w+ )?{_OF_ORGANISATIONS}\b"),
        (AnswerKind.MANNER, rf"\bhow (?:{_AUXILIARY}|to|exactly|you|come)\b|\bin (?:what|which) (?:way|manner)\b"),
        (
            AnswerKind.DEFINITION,
            r"\b(?:definition|meaning) of\b|\bwhat do(?:es)? .*\bmean\b|^define\b"
            r"|^(?:so )?what (?:is|are) (?:an? |the )?[\w'-]+(?: [\w'-]+)?\??$",
        ),
        (AnswerKind.THING, r"\b(?:what|which|whats|what['’]s)\b"),
    )
)
_NUMBER = re.compile(
    r"\d[\d.,]*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|half|third|quarter|twice|once|several|few|many)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:\d{3,4}s?|\d{1,2}(?:st|nd|rd|th)|january|february|march|april|may|june|july|august|september|october"
    r"|november|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|century|centuries|years?|decade"
    r"|today)\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:because|due to|since|so that|in order to|caused?|reasons?|thus|therefore|to)\b", re.IGNORECASE
)


def answer_kind(question: str) -> AnswerKind:
    """The kind of answer that an English question asks for; OTHER where its words do not say."""
    folded = " ".join(question.casefold().split())
    return next((kind for kind, pattern in _PATTERNS if pattern.search(folded)), AnswerKind.OTHER)


def holds_kind(sentence: str, kind: AnswerKind, *, asked: Set[str]) -> bool:
    """Whether ``sentence`` holds something of ``kind`` that is not among the terms ``asked`` with.

    True for kinds of which no word tells.
    """
    match kind:
        case AnswerKind.NUMBER | AnswerKind.QUANTITY | AnswerKind.DURATION:
            return any(not asked >= set(terms(found)) for found in _NUMBER.findall(sentence))
        case AnswerKind.DATE:
            return any(not asked >= set(terms(found)) for found in _DATE.findall(sentence))
        case AnswerKind.PERSON | AnswerKind.PLACE | AnswerKind.ORGANISATION:
            return not asked >= names(sentence)
        case AnswerKind.REASON:
            return _REASON.search(sentence) is not None
        case _:
            return True
