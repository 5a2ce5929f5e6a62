"""The shortest run of words that answers: every run of a sentence is weighed by what it holds and what it stands by.

A log-linear model over runs, as Rajpurkar et al. (2016) have it for SQuAD, without a parser: the words before, at the
beginning, at the end of and behind a run by their classes, and what the run holds of what is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag_engine.llm.answer_kinds import AnswerKind
from rag_engine.llm.asked import Asked
from rag_engine.llm.words import CLASSES, END, START, spans_of, words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]
    Places = NDArray[np.int64]

MOST_WORDS = 12
# A sentence of more is a table or a list without stops: what stands beyond is not weighed.
MOST_IN_SENTENCE = 120
# Kinds that share their weights.
GROUPS: dict[AnswerKind, int] = {
    AnswerKind.PERSON: 1,
    AnswerKind.PLACE: 2,
    AnswerKind.ORGANISATION: 3,
    AnswerKind.DATE: 4,
    AnswerKind.DURATION: 5,
    AnswerKind.QUANTITY: 5,
    AnswerKind.NUMBER: 6,
    AnswerKind.REASON: 7,
    AnswerKind.MANNER: 7,
}
GROUP_COUNT = 8  # what is left is group 0
FEATURES = (
    "one", "two", "three", "four", "six", "nine", "more", "asked share", "all asked", "first asked", "last asked",
    "before asked", "behind asked", "whole name", "cuts name", "number", "year", "month", "unit", "number word",
    "begins with number", "all numbers", "names", "no name", "quoted", "bracketed", "near before", "near behind",
    "head inside", "head beside", "preposition", "position", "comma inside", "and inside", "verb before",
    "following behind",
)  # fmt: skip
_NAMES = (CLASSES["<Name>"], CLASSES["<First>"])
_VERBS = tuple(CLASSES[word] for word in ["is", "was", "are", "were", "be", "been", "called", "named", "known"])


@dataclass(frozen=True, slots=True)
class SpanFeatures:
    """Runs of one sentence: ``edges`` (runs, 4) classes before, first, last, behind; ``values`` (runs, features);
    ``characters`` of the sentence, first and end, of each."""

    edges: Places
    values: Matrix
    characters: list[tuple[int, int]]


def span_features(asked: Asked, sentence: str) -> SpanFeatures | None:
    """What is known of every run of ``sentence``; None where there is none."""
    import numpy as np

    words = words_of(sentence)[:MOST_IN_SENTENCE]
    places = spans_of(words, most=MOST_WORDS)
    if not places:
        return None
    firsts = np.array([first for first, _ in places])
    lasts = np.array([last for _, last in places])
    sizes = lasts - firsts + 1
    kinds = np.array([START, *(word.kind for word in words), END])
    edges = np.stack([kinds[firsts], kinds[firsts + 1], kinds[lasts + 1], kinds[lasts + 2]], axis=1)

    def counted(flags: Sequence[bool]) -> Places:
        sums = np.concatenate([[0], np.cumsum(np.array(flags, dtype=np.int64))])
        return np.asarray(sums[lasts + 1] - sums[firsts])

    def at(flags: Sequence[bool], index: Places) -> Places:
        padded = np.array([False, *flags, False])
        return np.asarray(padded[index + 1])

    def holding(*names: str) -> list[bool]:
        wanted = {CLASSES[name] for name in names}
        return [word.kind in wanted for word in words]

    is_asked = [bool(word.terms) and asked.terms.issuperset(word.terms) for word in words]
    telling = [bool(word.terms) for word in words]
    named = [word.kind in _NAMES for word in words]
    amount = holding("<number>", "<year>", "<number word>")
    quoted = holding('"')
    heads = [bool(asked.head.intersection(word.terms)) for word in words]
    following = [bool(set(asked.following[:3]).intersection(word.terms)) for word in words]
    asked_inside, telling_inside = counted(is_asked), counted(telling)
    names_inside, amounts_inside = counted(named), counted(amount)
    before_name, behind_name = at(named, firsts - 1), at(named, lasts + 1)
    first_named, last_named = at(named, firsts), at(named, lasts)
    near_before, near_behind = _nearness(is_asked)
    values = np.stack(
        [
            sizes == 1, sizes == 2, sizes == 3, sizes == 4, (sizes > 4) & (sizes < 7), (sizes > 6) & (sizes < 10),
            sizes > 9,
            asked_inside / np.maximum(1, telling_inside),
            (asked_inside == telling_inside),
            at(is_asked, firsts), at(is_asked, lasts), at(is_asked, firsts - 1), at(is_asked, lasts + 1),
            first_named & last_named & ~before_name & ~behind_name,
            (first_named & before_name) | (last_named & behind_name),
            amounts_inside > 0, counted(holding("<year>")) > 0, counted(holding("<month>")) > 0,
            counted(holding("<unit>")) > 0, counted(holding("<number word>")) > 0,
            at(amount, firsts), amounts_inside == sizes,
            names_inside / sizes, names_inside == 0,
            at(quoted, firsts - 1) & at(quoted, lasts + 1),
            at(holding("("), firsts - 1) & at(holding(")"), lasts + 1),
            near_before[firsts], near_behind[lasts],
            counted(heads) > 0, at(heads, firsts - 1) | at(heads, lasts + 1),
            at([word.text.casefold() == asked.preposition for word in words], firsts - 1),
            firsts / len(words),
            counted(holding(",")) > 0, counted(holding("and")) > 0,
            at([word.kind in _VERBS for word in words], firsts - 1),
            at(following, lasts + 1),
        ],
        axis=1,
    ).astype(np.float64)  # fmt: skip
    return SpanFeatures(edges, values, [(words[first].start, words[last].end) for first, last in places])


def _nearness(flags: Sequence[bool]) -> tuple[Matrix, Matrix]:
    """For every place, how near the flagged ones before it are, and those behind it: a sum of 1 / distance."""
    import numpy as np

    flagged = np.flatnonzero(flags)
    distances = np.arange(len(flags))[:, None] - flagged[None, :]
    near = 1 / np.maximum(1, np.abs(distances))
    return np.asarray((near * (distances > 0)).sum(axis=1)), np.asarray((near * (distances < 0)).sum(axis=1))
