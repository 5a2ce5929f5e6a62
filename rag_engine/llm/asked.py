"""A question read once: its terms, names and kind, and the words by which an answer to it can be told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from rag_engine.llm.answer_kinds import AnswerKind, answer_kind
from rag_engine.llm.terms import names, negates, terms

_WH = re.compile(r"\b(?:what|which|who|whom|whose|when|where|why|how)\b", re.IGNORECASE)
_DENIAL = re.compile(
    r"\b(?:except|fail(?:s|ed|ing|ure)?|refus(?:e|es|ed|ing)|lack(?:s|ed|ing)?|unable|other than|least|rarely|hardly"
    r"|seldom|avoid(?:s|ed|ing)?|oppos(?:e|es|ed|ing)|exclud(?:e|es|ed|ing)|prevent(?:s|ed|ing)?)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_PREPOSITIONS = frozenset(
    re.findall(
        r"\S+",
        """
    in on at to for from by with of during between under over into through after before
    """,
    )
)
# Words behind "what" that end the name of what is asked for: "what country did", "which river in".
_ENDS_HEAD = frozenset(
    re.findall(
        r"\S+",
        """
    is are was were be been am do does did can could has have had will would shall should may might must in on
    at to for from by with of during between under over into through after before that who which and or
    """,
    )
)
# More words are no question; what stands beyond is not weighed. An answer need not wait for them.
MOST_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a question.

    ``terms`` are its normalised words without stop words, ``names`` those of them that look like names or numbers.
    ``head`` are the terms of the noun behind "what" or "which" (``country`` in "in what country"), ``preposition`` the
    word before it ("in"), ``following`` the terms behind it in order. ``pairs`` are its terms that stand next to each
    other. ``denies`` says that it asks for what is not, in more ways than ``negated``: "except", "failed to".
    """

    text: str
    kind: AnswerKind
    terms: frozenset[str]
    names: frozenset[str]
    negated: bool
    head: frozenset[str]
    preposition: str
    following: tuple[str, ...]
    pairs: frozenset[tuple[str, str]]
    denies: bool


def read_question(text: str) -> Asked:
    """A question's words, once and for all."""
    text = text[:MOST_CHARACTERS]
    words = [(match.group().casefold(), match.start()) for match in _WORD.finditer(text)]
    at = next((place for place, (word, _) in enumerate(words) if _WH.fullmatch(word)), None)
    head: list[str] = []
    following: list[str] = []
    preposition = ""
    if at is not None:
        preposition = words[at - 1][0] if at and words[at - 1][0] in _PREPOSITIONS else ""
        behind = at + 1
        while behind < len(words) and words[behind][0] not in _ENDS_HEAD and behind - at <= 4:
            head.extend(terms(words[behind][0]))
            behind += 1
        if words[at][0] not in ("what", "which", "whose"):
            head = []  # "who wrote the first program": no noun, but the rest of the question
            behind = at + 1
        following = [term for word, _ in words[behind:] for term in terms(word)]
        if not preposition and words[-1][0] in _PREPOSITIONS:
            preposition = words[-1][0]  # "which city was he born in"
    in_order = terms(text)
    return Asked(
        text=text,
        kind=answer_kind(text),
        terms=frozenset(in_order),
        names=names(text),
        negated=negates(text),
        head=frozenset(head[:2]),
        preposition=preposition,
        following=tuple(following),
        pairs=frozenset(pairwise(in_order)),
        denies=negates(text) or _DENIAL.search(text) is not None,
    )
