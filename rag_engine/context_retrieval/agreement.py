"""Whether the first passages of a search agree: those that say the same, and sentences that contradict each other.

Two sentences of different documents contradict each other where one has all the words of subject and predicate that the
other has, and they state another number or date, or only one of them negates. What only refers to its subject (the
town, it) is compared only among documents of one title. This is told by words alone, without a model: it is meant to
be right where it says something, and passes over every contradiction in other words. Its false alarms are counted by
benchmarks/quality/agreement.py. Containment is Broder's, "On the resemblance and
containment of documents" (1997).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag_engine.context_retrieval.quantities import MONTHS, NUMBER_WORDS, UNIT_WORDS, Stated, differing, stated
from rag_engine.protocols import SentenceSplitter
from rag_engine.types.retrieval import Conflict, ConflictKind, Passage

COMPARED = 10  # passages, the first of a search
# Of the shorter passage's shingles, so many in the longer one mean that it says nothing else.
CONTAINED, _SHINGLE = 0.9, 3
_LONGEST = 400  # characters; what is longer is no sentence but a list or a table
_ALIKE = 0.7  # of the words of the one with more
_FEWEST = 3  # words of subject and predicate
_WORD = re.compile(r"\w+")
_NEGATION = re.compile(r"\b(?:not|never|no|cannot|without)\b|n['’]t\b", re.IGNORECASE)
_NO_NEGATION = re.compile(
    r"\b(?:not (?:only|just|merely|necessarily|always|all|every|yet|much|more|less|later|earlier|fewer)"
    r"|no (?:more|less|later|fewer|earlier|sooner|matter|doubt|one)|no\.? ?\d+|whether or not|if not)\b",
    re.IGNORECASE,
)
_NO_PROSE = re.compile(r"[|{}=<>@\\`]|\w\(|;\s*$|::|->", re.MULTILINE)
# A sentence that begins so and names nothing speaks of what its document is about.
_REFERRING = re.compile(r"\W*(?:the|it|its|he|his|she|her|they|their|this|these|that|those|there)\b", re.IGNORECASE)
_NAME = re.compile(r"(?<=[\w,)’'\"“] )[^\W\d_a-z][\w-]+")
# What makes a number or a statement another one: both sentences must have the same of these.
_BOUNDS = frozenset(
    re.findall(
        r"\S+",
        """
    about above after almost approximately around average before below between except exceed first fewer from if
    last least less maximum mean median minimum more most nearly only other over per roughly second since than
    third under unless until up
    """,
    )
)
_SMALL = frozenset(
    re.findall(
        r"\S+",
        """
    a also an and any are as at be been being but by can could did do does during for had has have he her here
    him his in into is it its just may might must of on or our s shall she should so such t that the their them
    then there these they this those through to too upon very was we were what when where which while who whom
    whose will with within would you your not never no cannot without don doesn didn isn aren wasn weren won
    couldn wouldn shouldn hasn haven hadn
    """,
    )
)
_APART = _SMALL | _BOUNDS | UNIT_WORDS | NUMBER_WORDS.keys() | {"hundred", "thousand", "million", "billion", "trillion"}
_ENDINGS = ("ing", "ed", "es", "s", "e")


@dataclass(frozen=True, slots=True)
class _Sentence:
    """``start`` and ``end`` are characters of the document, ``passage`` a position."""

    passage: int
    start: int
    end: int
    text: str
    words: frozenset[str]


def with_agreement(passages: Sequence[Passage], *, split_sentences: SentenceSplitter) -> list[Passage]:
    """The passages, of which the first ``COMPARED`` name their duplicates and conflicts among each other."""
    compared = passages[:COMPARED]
    if len(compared) < 2:
        return list(passages)
    conflicts: list[list[Conflict]] = [[] for _ in compared]
    for own, other, what in _conflicts(compared, split_sentences):
        for one, two in ((own, other), (other, own)):
            rank = compared[two.passage].rank
            conflicts[one.passage].append(Conflict(rank, what, one.start, one.end, two.start, two.end))
    duplicates: list[list[int]] = [[] for _ in compared]
    for first, second in _duplicates(compared):
        # What contradicts each other in a word does not say the same, however alike it is.
        if all(conflict.rank != compared[second].rank for conflict in conflicts[first]):
            duplicates[first].append(compared[second].rank)
            duplicates[second].append(compared[first].rank)
    flagged = [
        replace(
            passage,
            duplicates=tuple(duplicates[position]),
            conflicts=tuple(sorted(conflicts[position], key=lambda conflict: (conflict.rank, conflict.start))),
        )
        for position, passage in enumerate(compared)
    ]
    return [*flagged, *passages[COMPARED:]]


def _duplicates(passages: Sequence[Passage]) -> Iterator[tuple[int, int]]:
    """Positions of the passages of which one holds nearly all that the other says."""
    texts = [_WORD.findall(passage.text.lower()) for passage in passages]
    words = [frozenset(text) for text in texts]
    for second, own in enumerate(words):
        for first in range(second):
            # First by single words, which costs a tenth: few pairs are left to be compared by shingles.
            if len(own & words[first]) >= CONTAINED * min(len(own), len(words[first])):
                held, other = _shingles(texts[second]), _shingles(texts[first])
                fewer = min(len(held), len(other))
                if fewer and len(held & other) >= CONTAINED * fewer:
                    yield first, second


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    return set(zip(*(words[place:] for place in range(_SHINGLE)), strict=False)) or {tuple(words)} - {()}


def _conflicts(
    passages: Sequence[Passage], split_sentences: SentenceSplitter
) -> Iterator[tuple[_Sentence, _Sentence, ConflictKind]]:
    """Pairs of sentences that contradict each other, each pair once."""
    sentences = list(_sentences(passages, split_sentences))
    # By word, one bit for each sentence that has it: those that have all words of another one are found by a few
    # operations on whole numbers, not by comparing all with all.
    having: dict[str, int] = {}
    for place, sentence in enumerate(sentences):
        for word in sentence.words:
            having[word] = having.get(word, 0) | 1 << place
    for place, sentence in enumerate(sentences):
        if len(sentence.words) < _FEWEST:
            continue
        itself = 1 << place
        others = -1
        for word in sentence.words:
            others &= having[word]
            if others == itself:
                break
        others ^= itself
        while others:
            lowest = others & -others
            others ^= lowest
            other = sentences[lowest.bit_length() - 1]
            if lowest < itself and other.words == sentence.words:
                continue  # seen from the other's side
            what = _contradiction(sentence, other, passages)
            if what is not None:
                yield sentence, other, what


def _sentences(passages: Sequence[Passage], split_sentences: SentenceSplitter) -> Iterator[_Sentence]:
    for position, passage in enumerate(passages):
        for start, end in split_sentences(passage.text):
            text = passage.text[start:end]
            # Headings, notes in brackets, questions, rows of tables and code state nothing by themselves.
            if end - start > _LONGEST or text[0] in "#([" or text[-1] == "?" or _NO_PROSE.search(text):
                continue
            words = frozenset(filter(None, map(_essence, _WORD.findall(text.lower()))))
            yield _Sentence(position, passage.start + start, passage.start + end, text, words)


@lru_cache(maxsize=20_000)
def _essence(word: str) -> str:
    """The word without its ending; nothing for small words, numbers and units."""
    if word in _APART or word in MONTHS or word.isdecimal():
        return ""
    if len(word) > 3 and word.isascii() and not word.endswith("ss"):
        for ending in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= 3:
                return word.removesuffix(ending)
    return word


def _contradiction(own: _Sentence, other: _Sentence, passages: Sequence[Passage]) -> ConflictKind | None:
    """What is said differently by two sentences of which the second has all words of the first; None where it is
    nothing, or may be about something else."""
    if passages[own.passage].document_id == passages[other.passage].document_id or own.text == other.text:
        return None
    if _unnamed(own) and _unnamed(other) and _title(passages[own.passage]) != _title(passages[other.passage]):
        return None
    if len(own.words) < _ALIKE * len(other.words) or _bounds(own.text) != _bounds(other.text):
        return None
    if not (_names(own.text) <= _plain(other.text) and _names(other.text) <= _plain(own.text)):
        return None  # a name more is another subject
    says, contradicts = stated(own.text), stated(other.text)
    if says.designators != contradicts.designators:
        return None
    if _negated(own.text) != _negated(other.text):
        same = says == contradicts and len(other.words) - len(own.words) <= 1
        return ConflictKind.NEGATION if same else None
    return _other_number(says, contradicts)


def _other_number(says: Stated, contradicts: Stated) -> ConflictKind | None:
    """Exactly one number or date that differs: where there are more, another case is spoken of."""
    if len(says.quantities) != len(contradicts.quantities) or len(says.days) != len(contradicts.days):
        return None
    numbers = len(list(differing(says.quantities, contradicts.quantities)))
    kinds = [quantity.kind for quantity in says.quantities] == [quantity.kind for quantity in contradicts.quantities]
    days = sum(day.contradicts(other) for day, other in zip(says.days, contradicts.days, strict=True))
    if not kinds or numbers + days != 1:
        return None
    return ConflictKind.NUMBER if numbers else ConflictKind.DATE


def _unnamed(sentence: _Sentence) -> bool:
    return _REFERRING.match(sentence.text) is not None and _NAME.search(sentence.text) is None


def _names(text: str) -> set[str]:
    """Capitalised words within the sentence, months left out."""
    return {name for name in map(str.lower, _NAME.findall(text)) if name not in MONTHS}


def _plain(text: str) -> set[str]:
    return {*_WORD.findall(text.lower()), *_names(text)}


def _title(passage: Passage) -> frozenset[str]:
    """The words of the document's title; years and versions do not count."""
    return frozenset(filter(None, map(_essence, _WORD.findall(passage.title.lower()))))


def _bounds(text: str) -> frozenset[str]:
    return _BOUNDS.intersection(_WORD.findall(text.lower()))


def _negated(text: str) -> bool:
    return len(_NEGATION.findall(_NO_NEGATION.sub(" ", text))) % 2 == 1
